using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;

namespace FedSeg.Coordinator;

/// <summary>The coordinator's settings, section <c>Coordinator</c> of its settings file. Relative paths start at that file's folder.</summary>
internal sealed class CoordinatorOptions
{
    /// <summary>Address and port to listen on, such as <c>0.0.0.0:7443</c>.</summary>
    [Required(ErrorMessage = "Coordinator:Listen is missing; give address and port, such as 0.0.0.0:7443.")]
    public string Listen { get; set; } = "";

    /// <summary>Folder of the run journal, models and updates.</summary>
    [Required(ErrorMessage = "Coordinator:DataDirectory is missing; give the folder for journal, models and updates.")]
    public string DataDirectory { get; set; } = "";

    /// <summary>The server certificate, PEM.</summary>
    [Required(ErrorMessage = "Coordinator:Certificate is missing; 'fedseg provision init' writes coordinator.pem.")]
    public string Certificate { get; set; } = "";

    /// <summary>Its private key, PEM.</summary>
    [Required(ErrorMessage = "Coordinator:PrivateKey is missing; 'fedseg provision init' writes coordinator.key.")]
    public string PrivateKey { get; set; } = "";

    /// <summary>The federation authority's certificate, PEM.</summary>
    [Required(ErrorMessage = "Coordinator:Authority is missing; 'fedseg provision init' writes authority.pem.")]
    public string Authority { get; set; } = "";

    /// <summary>The register of members, read again whenever it changes.</summary>
    [Required(ErrorMessage = "Coordinator:Register is missing; 'fedseg provision init' writes register.json.")]
    public string Register { get; set; } = "";

    /// <summary>Longest accepted weights file, bytes.</summary>
    [Range(1L, 1L << 40, ErrorMessage = "Coordinator:MaximumUpdateBytes must be from 1 to 2^40.")]
    public long MaximumUpdateBytes { get; set; } = 4L << 30;

    /// <summary>Longest silence inside an upload, seconds; the transfer as a whole may take any time.</summary>
    [Range(1, 3600, ErrorMessage = "Coordinator:UploadSilenceSeconds must be from 1 to 3600.")]
    public int UploadSilenceSeconds { get; set; } = 30;
}

[OptionsValidator]
internal sealed partial class CoordinatorOptionsValidator : IValidateOptions<CoordinatorOptions>;
