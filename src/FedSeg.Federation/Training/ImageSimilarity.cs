using FedSeg.Federation.Identity;

namespace FedSeg.Federation.Training;

/// <summary>
/// How much an update looks like an image it was trained on, as the trainer measured it: the only process that sees both. It belongs to one
/// file of weights and to no other.
/// </summary>
/// <param name="Largest">Largest |cosine| between a window of the update and a piece of an image, 0 to 1.</param>
/// <param name="Pieces">Pieces of images that were compared; at least 1.</param>
/// <param name="Update">SHA-256 of the update's file, as the trainer wrote it.</param>
public sealed record ImageSimilarity(double Largest, int Pieces, Sha256Digest Update);
