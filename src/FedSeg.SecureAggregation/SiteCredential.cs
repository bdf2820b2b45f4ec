using System.Security.Cryptography;
using FedSeg.Federation.Identity;

namespace FedSeg.SecureAggregation;

/// <summary>What a site signs with.</summary>
/// <param name="Certificate">Its certificate, DER, as its peers will check it.</param>
/// <param name="Key">The certificate's P-256 key; stays the caller's.</param>
public sealed record SiteCredential(byte[] Certificate, ECDsa Key);

/// <summary>
/// Checks that the federation's authority signed a certificate for a site. The server hands certificates on but can't make one, which is
/// why it can't invent a site.
/// </summary>
/// <param name="site">The name that the certificate must bear.</param>
/// <param name="certificate">DER, not yet believed.</param>
/// <returns>The site's public key, the caller's to dispose; <see langword="null"/> when the certificate is not to be trusted.</returns>
public delegate ECDsa? SiteKeyCheck(SiteId site, byte[] certificate);
