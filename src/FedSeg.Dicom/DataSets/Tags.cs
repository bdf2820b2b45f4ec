namespace FedSeg.Dicom.DataSets;

/// <summary>
/// The attributes that FedSeg reads or writes by name, with their representation. Those that it only passes on are in
/// <see cref="StandardDictionary"/>.
/// </summary>
public static class Tags
{
    private static readonly Dictionary<DicomTag, DicomVr> Representations = [];

    public static readonly DicomTag FileMetaInformationVersion = Define(0x0002, 0x0001, DicomVr.OB);
    public static readonly DicomTag MediaStorageSopClassUid = Define(0x0002, 0x0002, DicomVr.UI);
    public static readonly DicomTag MediaStorageSopInstanceUid = Define(0x0002, 0x0003, DicomVr.UI);
    public static readonly DicomTag TransferSyntaxUid = Define(0x0002, 0x0010, DicomVr.UI);
    public static readonly DicomTag ImplementationClassUid = Define(0x0002, 0x0012, DicomVr.UI);
    public static readonly DicomTag ImplementationVersionName = Define(0x0002, 0x0013, DicomVr.SH);

    public static readonly DicomTag SpecificCharacterSet = Define(0x0008, 0x0005, DicomVr.CS);
    public static readonly DicomTag ImageType = Define(0x0008, 0x0008, DicomVr.CS);
    public static readonly DicomTag SopClassUid = Define(0x0008, 0x0016, DicomVr.UI);
    public static readonly DicomTag SopInstanceUid = Define(0x0008, 0x0018, DicomVr.UI);
    public static readonly DicomTag StudyDate = Define(0x0008, 0x0020, DicomVr.DA);
    public static readonly DicomTag SeriesDate = Define(0x0008, 0x0021, DicomVr.DA);
    public static readonly DicomTag ContentDate = Define(0x0008, 0x0023, DicomVr.DA);
    public static readonly DicomTag StudyTime = Define(0x0008, 0x0030, DicomVr.TM);
    public static readonly DicomTag SeriesTime = Define(0x0008, 0x0031, DicomVr.TM);
    public static readonly DicomTag ContentTime = Define(0x0008, 0x0033, DicomVr.TM);
    public static readonly DicomTag AccessionNumber = Define(0x0008, 0x0050, DicomVr.SH);
    public static readonly DicomTag Modality = Define(0x0008, 0x0060, DicomVr.CS);
    public static readonly DicomTag Manufacturer = Define(0x0008, 0x0070, DicomVr.LO);
    public static readonly DicomTag InstitutionName = Define(0x0008, 0x0080, DicomVr.LO);
    public static readonly DicomTag InstitutionAddress = Define(0x0008, 0x0081, DicomVr.ST);
    public static readonly DicomTag ReferringPhysicianName = Define(0x0008, 0x0090, DicomVr.PN);
    public static readonly DicomTag CodeValue = Define(0x0008, 0x0100, DicomVr.SH);
    public static readonly DicomTag CodingSchemeDesignator = Define(0x0008, 0x0102, DicomVr.SH);
    public static readonly DicomTag CodeMeaning = Define(0x0008, 0x0104, DicomVr.LO);
    public static readonly DicomTag StationName = Define(0x0008, 0x1010, DicomVr.SH);
    public static readonly DicomTag StudyDescription = Define(0x0008, 0x1030, DicomVr.LO);
    public static readonly DicomTag SeriesDescription = Define(0x0008, 0x103E, DicomVr.LO);
    public static readonly DicomTag OperatorsName = Define(0x0008, 0x1070, DicomVr.PN);
    public static readonly DicomTag ManufacturerModelName = Define(0x0008, 0x1090, DicomVr.LO);
    public static readonly DicomTag ReferencedSeriesSequence = Define(0x0008, 0x1115, DicomVr.SQ);
    public static readonly DicomTag ReferencedSopClassUid = Define(0x0008, 0x1150, DicomVr.UI);
    public static readonly DicomTag ReferencedSopInstanceUid = Define(0x0008, 0x1155, DicomVr.UI);
    public static readonly DicomTag ReferencedFrameNumber = Define(0x0008, 0x1160, DicomVr.IS);
    public static readonly DicomTag ReferencedInstanceSequence = Define(0x0008, 0x114A, DicomVr.SQ);
    public static readonly DicomTag SourceImageSequence = Define(0x0008, 0x2112, DicomVr.SQ);
    public static readonly DicomTag FrameType = Define(0x0008, 0x9007, DicomVr.CS);
    public static readonly DicomTag DerivationImageSequence = Define(0x0008, 0x9124, DicomVr.SQ);
    public static readonly DicomTag DerivationCodeSequence = Define(0x0008, 0x9215, DicomVr.SQ);
    public static readonly DicomTag RealWorldValueMappingSequence = Define(0x0040, 0x9096, DicomVr.SQ);
    public static readonly DicomTag RealWorldValueIntercept = Define(0x0040, 0x9224, DicomVr.FD);
    public static readonly DicomTag RealWorldValueSlope = Define(0x0040, 0x9225, DicomVr.FD);
    public static readonly DicomTag PurposeOfReferenceCodeSequence = Define(0x0040, 0xA170, DicomVr.SQ);

    public static readonly DicomTag PatientName = Define(0x0010, 0x0010, DicomVr.PN);
    public static readonly DicomTag PatientId = Define(0x0010, 0x0020, DicomVr.LO);
    public static readonly DicomTag IssuerOfPatientId = Define(0x0010, 0x0021, DicomVr.LO);
    public static readonly DicomTag PatientBirthDate = Define(0x0010, 0x0030, DicomVr.DA);
    public static readonly DicomTag PatientSex = Define(0x0010, 0x0040, DicomVr.CS);
    public static readonly DicomTag PatientAge = Define(0x0010, 0x1010, DicomVr.AS);
    public static readonly DicomTag PatientComments = Define(0x0010, 0x4000, DicomVr.LT);

    public static readonly DicomTag BodyPartExamined = Define(0x0018, 0x0015, DicomVr.CS);
    public static readonly DicomTag ScanningSequence = Define(0x0018, 0x0020, DicomVr.CS);
    public static readonly DicomTag SequenceVariant = Define(0x0018, 0x0021, DicomVr.CS);
    public static readonly DicomTag ScanOptions = Define(0x0018, 0x0022, DicomVr.CS);
    public static readonly DicomTag MrAcquisitionType = Define(0x0018, 0x0023, DicomVr.CS);
    public static readonly DicomTag SliceThickness = Define(0x0018, 0x0050, DicomVr.DS);
    public static readonly DicomTag Kvp = Define(0x0018, 0x0060, DicomVr.DS);
    public static readonly DicomTag RepetitionTime = Define(0x0018, 0x0080, DicomVr.DS);
    public static readonly DicomTag EchoTime = Define(0x0018, 0x0081, DicomVr.DS);
    public static readonly DicomTag EchoNumbers = Define(0x0018, 0x0086, DicomVr.IS);
    public static readonly DicomTag SpacingBetweenSlices = Define(0x0018, 0x0088, DicomVr.DS);
    public static readonly DicomTag EchoTrainLength = Define(0x0018, 0x0091, DicomVr.IS);
    public static readonly DicomTag DeviceSerialNumber = Define(0x0018, 0x1000, DicomVr.LO);
    public static readonly DicomTag SoftwareVersions = Define(0x0018, 0x1020, DicomVr.LO);
    public static readonly DicomTag ProtocolName = Define(0x0018, 0x1030, DicomVr.LO);
    public static readonly DicomTag TriggerTime = Define(0x0018, 0x1060, DicomVr.DS);
    public static readonly DicomTag ConvolutionKernel = Define(0x0018, 0x1210, DicomVr.SH);
    public static readonly DicomTag PatientPosition = Define(0x0018, 0x5100, DicomVr.CS);
    public static readonly DicomTag DiffusionGradientDirectionSequence = Define(0x0018, 0x9076, DicomVr.SQ);
    public static readonly DicomTag EffectiveEchoTime = Define(0x0018, 0x9082, DicomVr.FD);
    public static readonly DicomTag DiffusionBValue = Define(0x0018, 0x9087, DicomVr.FD);
    public static readonly DicomTag DiffusionGradientOrientation = Define(0x0018, 0x9089, DicomVr.FD);
    public static readonly DicomTag MrEchoSequence = Define(0x0018, 0x9114, DicomVr.SQ);
    public static readonly DicomTag MrDiffusionSequence = Define(0x0018, 0x9117, DicomVr.SQ);
    public static readonly DicomTag CardiacSynchronizationSequence = Define(0x0018, 0x9118, DicomVr.SQ);
    public static readonly DicomTag MrImageFrameTypeSequence = Define(0x0018, 0x9226, DicomVr.SQ);
    public static readonly DicomTag CtReconstructionSequence = Define(0x0018, 0x9314, DicomVr.SQ);
    public static readonly DicomTag CtImageFrameTypeSequence = Define(0x0018, 0x9329, DicomVr.SQ);
    public static readonly DicomTag PetFrameTypeSequence = Define(0x0018, 0x9751, DicomVr.SQ);

    public static readonly DicomTag StudyInstanceUid = Define(0x0020, 0x000D, DicomVr.UI);
    public static readonly DicomTag SeriesInstanceUid = Define(0x0020, 0x000E, DicomVr.UI);
    public static readonly DicomTag StudyId = Define(0x0020, 0x0010, DicomVr.SH);
    public static readonly DicomTag SeriesNumber = Define(0x0020, 0x0011, DicomVr.IS);
    public static readonly DicomTag AcquisitionNumber = Define(0x0020, 0x0012, DicomVr.IS);
    public static readonly DicomTag InstanceNumber = Define(0x0020, 0x0013, DicomVr.IS);
    public static readonly DicomTag ImagePositionPatient = Define(0x0020, 0x0032, DicomVr.DS);
    public static readonly DicomTag ImageOrientationPatient = Define(0x0020, 0x0037, DicomVr.DS);
    public static readonly DicomTag FrameOfReferenceUid = Define(0x0020, 0x0052, DicomVr.UI);
    public static readonly DicomTag TemporalPositionIdentifier = Define(0x0020, 0x0100, DicomVr.IS);
    public static readonly DicomTag PositionReferenceIndicator = Define(0x0020, 0x1040, DicomVr.LO);
    public static readonly DicomTag ImageComments = Define(0x0020, 0x4000, DicomVr.LT);
    public static readonly DicomTag StackId = Define(0x0020, 0x9056, DicomVr.SH);
    public static readonly DicomTag InStackPositionNumber = Define(0x0020, 0x9057, DicomVr.UL);
    public static readonly DicomTag FrameContentSequence = Define(0x0020, 0x9111, DicomVr.SQ);
    public static readonly DicomTag PlanePositionSequence = Define(0x0020, 0x9113, DicomVr.SQ);
    public static readonly DicomTag PlaneOrientationSequence = Define(0x0020, 0x9116, DicomVr.SQ);
    public static readonly DicomTag TemporalPositionIndex = Define(0x0020, 0x9128, DicomVr.UL);
    public static readonly DicomTag NominalCardiacTriggerDelayTime = Define(0x0020, 0x9153, DicomVr.FD);
    public static readonly DicomTag FrameAcquisitionNumber = Define(0x0020, 0x9156, DicomVr.US);
    public static readonly DicomTag DimensionIndexValues = Define(0x0020, 0x9157, DicomVr.UL);
    public static readonly DicomTag ConcatenationUid = Define(0x0020, 0x9161, DicomVr.UI);
    public static readonly DicomTag DimensionOrganizationUid = Define(0x0020, 0x9164, DicomVr.UI);
    public static readonly DicomTag DimensionIndexPointer = Define(0x0020, 0x9165, DicomVr.AT);
    public static readonly DicomTag FunctionalGroupPointer = Define(0x0020, 0x9167, DicomVr.AT);
    public static readonly DicomTag DimensionOrganizationSequence = Define(0x0020, 0x9221, DicomVr.SQ);
    public static readonly DicomTag DimensionIndexSequence = Define(0x0020, 0x9222, DicomVr.SQ);
    public static readonly DicomTag DimensionOrganizationType = Define(0x0020, 0x9311, DicomVr.CS);

    public static readonly DicomTag SamplesPerPixel = Define(0x0028, 0x0002, DicomVr.US);
    public static readonly DicomTag PhotometricInterpretation = Define(0x0028, 0x0004, DicomVr.CS);
    public static readonly DicomTag PlanarConfiguration = Define(0x0028, 0x0006, DicomVr.US);
    public static readonly DicomTag NumberOfFrames = Define(0x0028, 0x0008, DicomVr.IS);
    public static readonly DicomTag Rows = Define(0x0028, 0x0010, DicomVr.US);
    public static readonly DicomTag Columns = Define(0x0028, 0x0011, DicomVr.US);
    public static readonly DicomTag PixelSpacing = Define(0x0028, 0x0030, DicomVr.DS);
    public static readonly DicomTag BitsAllocated = Define(0x0028, 0x0100, DicomVr.US);
    public static readonly DicomTag BitsStored = Define(0x0028, 0x0101, DicomVr.US);
    public static readonly DicomTag HighBit = Define(0x0028, 0x0102, DicomVr.US);
    public static readonly DicomTag PixelRepresentation = Define(0x0028, 0x0103, DicomVr.US);
    public static readonly DicomTag PixelPaddingValue = Define(0x0028, 0x0120, DicomVr.US);
    public static readonly DicomTag PixelPaddingRangeLimit = Define(0x0028, 0x0121, DicomVr.US);
    public static readonly DicomTag BurnedInAnnotation = Define(0x0028, 0x0301, DicomVr.CS);
    public static readonly DicomTag RescaleIntercept = Define(0x0028, 0x1052, DicomVr.DS);
    public static readonly DicomTag RescaleSlope = Define(0x0028, 0x1053, DicomVr.DS);
    public static readonly DicomTag RescaleType = Define(0x0028, 0x1054, DicomVr.LO);
    public static readonly DicomTag SpatialLocationsPreserved = Define(0x0028, 0x135A, DicomVr.CS);
    public static readonly DicomTag LossyImageCompression = Define(0x0028, 0x2110, DicomVr.CS);
    public static readonly DicomTag ModalityLutSequence = Define(0x0028, 0x3000, DicomVr.SQ);
    public static readonly DicomTag LutDescriptor = Define(0x0028, 0x3002, DicomVr.US);
    public static readonly DicomTag LutData = Define(0x0028, 0x3006, DicomVr.OW);
    public static readonly DicomTag PixelMeasuresSequence = Define(0x0028, 0x9110, DicomVr.SQ);
    public static readonly DicomTag PixelValueTransformationSequence = Define(0x0028, 0x9145, DicomVr.SQ);

    public static readonly DicomTag SegmentationType = Define(0x0062, 0x0001, DicomVr.CS);
    public static readonly DicomTag SegmentSequence = Define(0x0062, 0x0002, DicomVr.SQ);
    public static readonly DicomTag SegmentedPropertyCategoryCodeSequence = Define(0x0062, 0x0003, DicomVr.SQ);
    public static readonly DicomTag SegmentNumber = Define(0x0062, 0x0004, DicomVr.US);
    public static readonly DicomTag SegmentLabel = Define(0x0062, 0x0005, DicomVr.LO);
    public static readonly DicomTag SegmentationAlgorithmIdentificationSequence = Define(0x0062, 0x0007, DicomVr.SQ);
    public static readonly DicomTag SegmentAlgorithmType = Define(0x0062, 0x0008, DicomVr.CS);
    public static readonly DicomTag SegmentAlgorithmName = Define(0x0062, 0x0009, DicomVr.LO);
    public static readonly DicomTag SegmentIdentificationSequence = Define(0x0062, 0x000A, DicomVr.SQ);
    public static readonly DicomTag ReferencedSegmentNumber = Define(0x0062, 0x000B, DicomVr.US);
    public static readonly DicomTag RecommendedDisplayCieLabValue = Define(0x0062, 0x000D, DicomVr.US);
    public static readonly DicomTag MaximumFractionalValue = Define(0x0062, 0x000E, DicomVr.US);
    public static readonly DicomTag SegmentedPropertyTypeCodeSequence = Define(0x0062, 0x000F, DicomVr.SQ);
    public static readonly DicomTag SegmentationFractionalType = Define(0x0062, 0x0010, DicomVr.CS);
    public static readonly DicomTag SegmentsOverlap = Define(0x0062, 0x0013, DicomVr.CS);

    public static readonly DicomTag AlgorithmFamilyCodeSequence = Define(0x0066, 0x002F, DicomVr.SQ);
    public static readonly DicomTag AlgorithmVersion = Define(0x0066, 0x0031, DicomVr.LO);
    public static readonly DicomTag AlgorithmName = Define(0x0066, 0x0036, DicomVr.LO);
    public static readonly DicomTag ContentLabel = Define(0x0070, 0x0080, DicomVr.CS);
    public static readonly DicomTag ContentDescription = Define(0x0070, 0x0081, DicomVr.LO);
    public static readonly DicomTag ContentCreatorName = Define(0x0070, 0x0084, DicomVr.PN);

    public static readonly DicomTag ReferencedFrameOfReferenceSequence = Define(0x3006, 0x0010, DicomVr.SQ);
    public static readonly DicomTag RtReferencedStudySequence = Define(0x3006, 0x0012, DicomVr.SQ);
    public static readonly DicomTag RtReferencedSeriesSequence = Define(0x3006, 0x0014, DicomVr.SQ);
    public static readonly DicomTag ContourImageSequence = Define(0x3006, 0x0016, DicomVr.SQ);
    public static readonly DicomTag StructureSetRoiSequence = Define(0x3006, 0x0020, DicomVr.SQ);
    public static readonly DicomTag RoiNumber = Define(0x3006, 0x0022, DicomVr.IS);
    public static readonly DicomTag ReferencedFrameOfReferenceUid = Define(0x3006, 0x0024, DicomVr.UI);
    public static readonly DicomTag RoiName = Define(0x3006, 0x0026, DicomVr.LO);
    public static readonly DicomTag RoiContourSequence = Define(0x3006, 0x0039, DicomVr.SQ);
    public static readonly DicomTag ContourSequence = Define(0x3006, 0x0040, DicomVr.SQ);
    public static readonly DicomTag ContourGeometricType = Define(0x3006, 0x0042, DicomVr.CS);
    public static readonly DicomTag NumberOfContourPoints = Define(0x3006, 0x0046, DicomVr.IS);
    public static readonly DicomTag ContourData = Define(0x3006, 0x0050, DicomVr.DS);
    public static readonly DicomTag ReferencedRoiNumber = Define(0x3006, 0x0084, DicomVr.IS);

    public static readonly DicomTag SharedFunctionalGroupsSequence = Define(0x5200, 0x9229, DicomVr.SQ);
    public static readonly DicomTag PerFrameFunctionalGroupsSequence = Define(0x5200, 0x9230, DicomVr.SQ);

    public static readonly DicomTag ExtendedOffsetTable = Define(0x7FE0, 0x0001, DicomVr.OV);
    public static readonly DicomTag ExtendedOffsetTableLengths = Define(0x7FE0, 0x0002, DicomVr.OV);
    public static readonly DicomTag FloatPixelData = Define(0x7FE0, 0x0008, DicomVr.OF);
    public static readonly DicomTag DoubleFloatPixelData = Define(0x7FE0, 0x0009, DicomVr.OD);
    public static readonly DicomTag PixelData = Define(0x7FE0, 0x0010, DicomVr.OW);

    internal static readonly DicomTag Item = new(0xFFFE, 0xE000);
    internal static readonly DicomTag ItemDelimitation = new(0xFFFE, 0xE00D);
    internal static readonly DicomTag SequenceDelimitation = new(0xFFFE, 0xE0DD);

    /// <summary>The representation of a standard attribute; UN for every other one (UL for a group length).</summary>
    internal static DicomVr RepresentationOf(DicomTag tag) =>
        Representations.TryGetValue(tag, out var vr) ? vr
        : StandardDictionary.Find(tag) is { } standard ? standard.Vr
        : tag.Element == 0 ? DicomVr.UL
        : tag is { IsPrivate: true, Element: >= 0x10 and <= 0xFF } ? DicomVr.LO
        : DicomVr.UN;

    private static DicomTag Define(ushort group, ushort element, DicomVr vr)
    {
        var tag = new DicomTag(group, element);
        Representations.Add(tag, vr);
        return tag;
    }
}
