using FedSeg.Desk.Tests;

// One hospital, one page and one browser for all tests of a class after the other.
[assembly: AssemblyFixture(typeof(Browser))]
