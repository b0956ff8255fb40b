"""Which attributes of a DICOM file may identify a person: those of the Basic Application Level Confidentiality Profile.

DICOM PS3.15 table E.1-1 (edition 2024b): every attribute that the basic profile removes, empties or replaces, by
keyword. Besides them the profile removes private attributes, and curve and overlay data (groups 50xx and 60xx).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pydicom.datadict import keyword_for_tag
from pydicom.dataset import Dataset

BASIC_PROFILE = frozenset(
    """
    AccessionNumber AcquisitionComments AcquisitionContextSequence AcquisitionDate AcquisitionDateTime
    AcquisitionDeviceProcessingDescription AcquisitionFieldOfViewLabel AcquisitionProtocolDescription
    AcquisitionTime AcquisitionUID ActualHumanPerformersSequence AdditionalPatientHistory AddressTrial AdmissionID
    AdmittingDate AdmittingDiagnosesCodeSequence AdmittingDiagnosesDescription AdmittingTime AffectedSOPInstanceUID
    Allergies AnnotationGroupDescription AnnotationGroupLabel AnnotationGroupUID ApprovalStatusDateTime Arbitrary
    AssertionDateTime AssertionExpirationDateTime AttributeModificationDateTime AuthorObserverSequence BarcodeValue
    BeamDescription BeamHoldTransitionDateTime BolusDescription BranchOfService CalibrationDate CalibrationDateTime
    CalibrationTime CameraOwnerName CassetteID CertificateOfSigner CertifiedTimestamp
    ClinicalTrialCoordinatingCenterName ClinicalTrialProtocolEthicsCommitteeApprovalNumber
    ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolID ClinicalTrialProtocolName
    ClinicalTrialSeriesDescription ClinicalTrialSeriesID ClinicalTrialSiteID ClinicalTrialSiteName
    ClinicalTrialSponsorName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID ClinicalTrialTimePointDescription
    ClinicalTrialTimePointID CommentsOnRadiationDose CommentsOnThePerformedProcedureStep CompensatorDescription
    ConcatenationUID ConceptualVolumeCombinationDescription ConceptualVolumeDescription ConceptualVolumeUID
    ConfidentialityConstraintOnPatientDataDescription ConstituentConceptualVolumeUID
    ConsultingPhysicianIdentificationSequence ConsultingPhysicianName ContainerComponentID ContainerDescription
    ContainerIdentifier ContentCreatorIdentificationCodeSequence ContentCreatorName ContentDate ContentSequence
    ContentTime ContextGroupLocalVersion ContextGroupVersion ContrastBolusAgent ContrastBolusStartTime
    ContrastBolusStopTime ContributionDateTime ContributionDescription CountryOfResidence CreationDate CreationTime
    CurrentObserverTrial CurrentPatientLocation CurveDate CurveTime CustodialOrganizationSequence
    DataSetTrailingPadding Date DateOfDocumentOrVerbalTransactionTrial DateOfInstallation DateOfLastCalibration
    DateOfLastDetectorCalibration DateOfManufacture DateOfSecondaryCapture DateTime DateTimeOfLastCalibration
    DecayCorrectionDateTime DecompositionDescription DerivationDescription DestinationAE DetectorID
    DeviceAlternateIdentifier DeviceDescription DeviceLabel DeviceSerialNumber DeviceSettingDescription DeviceUID
    DigitalSignatureDateTime DigitalSignatureUID DigitalSignaturesSequence DimensionOrganizationUID DischargeDate
    DischargeDiagnosisDescription DischargeTime DisplacementReferenceLabel DistributionAddress DistributionName
    DoseReferenceDescription DoseReferenceUID DosimetricObjectiveUID EffectiveDateTime EncapsulatedDocument
    EndAcquisitionDateTime EntityDescription EntityLabel EntityLongLabel EntityName
    EquipmentFrameOfReferenceDescription EthicsCommitteeApprovalEffectivenessEndDate
    EthicsCommitteeApprovalEffectivenessStartDate EthnicGroup ExclusionStartDateTime ExpectedCompletionDateTime
    FailedSOPInstanceUIDList FiducialUID FillerOrderNumberImagingServiceRequest FilterLookupTableDescription
    FindingsGroupRecordingDateTrial FindingsGroupRecordingTimeTrial FirstTreatmentDate FixationDeviceDescription
    FlowIdentifier FlowIdentifierSequence FractionGroupDescription FractionationNotes FrameAcquisitionDateTime
    FrameComments FrameOfReferenceUID FrameOriginTimestamp FrameReferenceDateTime FunctionalSyncPulse GPSAltitude
    GPSAltitudeRef GPSAreaInformation GPSDOP GPSDateStamp GPSDestBearing GPSDestBearingRef GPSDestDistance
    GPSDestDistanceRef GPSDestLatitude GPSDestLatitudeRef GPSDestLongitude GPSDestLongitudeRef GPSDifferential
    GPSImgDirection GPSImgDirectionRef GPSLatitude GPSLatitudeRef GPSLongitude GPSLongitudeRef GPSMapDatum
    GPSMeasureMode GPSProcessingMethod GPSSatellites GPSSpeed GPSSpeedRef GPSStatus GPSTimeStamp GPSTrack
    GPSTrackRef GPSVersionID GantryID GeneratorID GraphicAnnotationSequence HL7DocumentEffectiveTime
    HangingProtocolCreationDateTime HumanPerformerName HumanPerformerOrganization IconImageSequence
    IdentifyingComments ImageComments ImagePresentationComments ImagingServiceRequestComments
    ImpedanceMeasurementDateTime Impressions InformationIssueDateTime InstanceCoercionDateTime InstanceCreationDate
    InstanceCreationTime InstanceCreatorUID InstanceOriginStatus InstitutionAddress InstitutionCodeSequence
    InstitutionName InstitutionalDepartmentName InstitutionalDepartmentTypeCodeSequence InstructionPerformedDateTime
    InsurancePlanIdentification IntendedFractionStartTime IntendedPhaseEndDate IntendedPhaseStartDate
    IntendedRecipientsOfResultsIdentificationSequence InterlockDateTime InterlockDescription
    InterlockOriginDescription InterpretationApprovalDate InterpretationApprovalTime InterpretationApproverSequence
    InterpretationAuthor InterpretationDiagnosisDescription InterpretationID InterpretationIDIssuer
    InterpretationRecordedDate InterpretationRecordedTime InterpretationRecorder InterpretationText
    InterpretationTranscriber InterpretationTranscriptionDate InterpretationTranscriptionTime
    InterventionDrugStartTime InterventionDrugStopTime IrradiationEventUID IssueDateOfImagingServiceRequest
    IssueTimeOfImagingServiceRequest IssuerOfAdmissionID IssuerOfAdmissionIDSequence IssuerOfClinicalTrialProtocolID
    IssuerOfClinicalTrialSeriesID IssuerOfClinicalTrialSiteID IssuerOfClinicalTrialSubjectID
    IssuerOfClinicalTrialSubjectReadingID IssuerOfClinicalTrialTimePointID IssuerOfPatientID
    IssuerOfServiceEpisodeID IssuerOfServiceEpisodeIDSequence IssuerOfTheContainerIdentifierSequence
    IssuerOfTheSpecimenIdentifierSequence LabelText LargePaletteColorLookupTableUID LastMenstrualDate LensMake
    LensModel LensSerialNumber LensSpecification LongDeviceDescription MAC MakerNote ManufacturerDeviceClassUID
    ManufacturerDeviceIdentifier MediaStorageSOPInstanceUID MedicalAlerts MedicalRecordLocator MilitaryRank
    ModifiedAttributesSequence ModifiedImageDate ModifiedImageDescription ModifiedImageTime ModifyingDeviceID
    ModifyingSystem MostRecentTreatmentDate MultienergyAcquisitionDescription MultiplexGroupUID
    NameOfPhysiciansReadingStudy NamesOfIntendedRecipientsOfResults NetworkID NonconformingDataElementValue
    NonconformingModifiedAttributesSequence ObservationDateTime ObservationDateTrial ObservationStartDateTime
    ObservationSubjectUIDTrial ObservationTimeTrial ObservationUID Occupation OperatorIdentificationSequence
    OperatorsName OrderCallbackPhoneNumber OrderCallbackTelecomInformation OrderEnteredBy OrderEntererLocation
    OriginalAttributesSequence Originator OtherClinicalTrialProtocolIDsSequence OtherPatientIDs
    OtherPatientIDsSequence OtherPatientNames OverlayDate OverlayTime OverrideDateTime PaletteColorLookupTableUID
    ParticipantSequence ParticipationDateTime PatientAddress PatientAge PatientBirthDate PatientBirthName
    PatientBirthTime PatientComments PatientID PatientInstitutionResidence PatientInsurancePlanCodeSequence
    PatientMotherBirthName PatientName PatientPrimaryLanguageCodeSequence PatientPrimaryLanguageModifierCodeSequence
    PatientReligiousPreference PatientSetupPhotoDescription PatientSetupUID PatientSex PatientSexNeutered
    PatientSize PatientState PatientTelecomInformation PatientTelephoneNumbers PatientTransportArrangements
    PatientTreatmentPreparationMethodDescription PatientTreatmentPreparationProcedureParameterDescription
    PatientWeight PerformedLocation PerformedProcedureStepDescription PerformedProcedureStepEndDate
    PerformedProcedureStepEndDateTime PerformedProcedureStepEndTime PerformedProcedureStepID
    PerformedProcedureStepStartDate PerformedProcedureStepStartDateTime PerformedProcedureStepStartTime
    PerformedStationAETitle PerformedStationGeographicLocationCodeSequence PerformedStationName
    PerformedStationNameCodeSequence PerformingPhysicianIdentificationSequence PerformingPhysicianName PersonAddress
    PersonIdentificationCodeSequence PersonName PersonTelecomInformation PersonTelephoneNumbers
    PhysicianApprovingInterpretation PhysiciansOfRecord PhysiciansOfRecordIdentificationSequence
    PhysiciansReadingStudyIdentificationSequence PlacerOrderNumberImagingServiceRequest PlateID
    PositionAcquisitionTemplateDescription PositionAcquisitionTemplateName PreMedication PregnancyStatus
    PrescriptionDescription PrescriptionNotes PrescriptionNotesSequence PresentationCreationDate
    PresentationCreationTime PresentationDisplayCollectionUID PresentationSequenceCollectionUID
    PriorTreatmentDoseDescription ProcedureStepCancellationDateTime ProductExpirationDateTime ProtocolName
    PyramidDescription PyramidLabel PyramidUID ROICreatorSequence ROIDateTime ROIDescription
    ROIGenerationDescription ROIInterpreter ROIInterpreterSequence ROIName ROIObservationDateTime
    ROIObservationDescription ROIObservationLabel RTAccessoryDeviceSlotID RTAccessoryHolderSlotID
    RTPhysicianIntentNarrative RTPlanDate RTPlanDescription RTPlanLabel RTPlanName RTPlanTime RTPrescriptionLabel
    RTToleranceSetLabel RTTreatmentApproachLabel RTTreatmentPhaseUID RadiationDoseIdentificationLabel
    RadiationDoseInVivoMeasurementLabel RadiationGenerationModeDescription RadiationGenerationModeLabel
    RadiopharmaceuticalStartDateTime RadiopharmaceuticalStartTime RadiopharmaceuticalStopDateTime
    RadiopharmaceuticalStopTime ReasonForOmissionDescription ReasonForRequestedProcedureCodeSequence ReasonForStudy
    ReasonForSuperseding ReasonForTheAttributeModification ReasonForTheImagingServiceRequest
    ReasonForTheRequestedProcedure ReasonForVisit ReasonForVisitCodeSequence ReceivingAE
    RecordedRTControlPointDateTime ReferencedConceptualVolumeUID ReferencedDateTime
    ReferencedDigitalSignatureSequence ReferencedDoseReferenceUID ReferencedDosimetricObjectiveUID
    ReferencedFiducialsUID ReferencedFrameOfReferenceUID
    ReferencedGeneralPurposeScheduledProcedureStepTransactionUID ReferencedImageSequence
    ReferencedObservationUIDTrial ReferencedPatientAliasSequence ReferencedPatientPhotoSequence
    ReferencedPatientSequence ReferencedPerformedProcedureStepSequence ReferencedSOPInstanceMACSequence
    ReferencedSOPInstanceUID ReferencedSOPInstanceUIDInFile ReferencedStudySequence
    ReferencedTreatmentPositionGroupUID ReferringPhysicianAddress ReferringPhysicianIdentificationSequence
    ReferringPhysicianName ReferringPhysicianTelephoneNumbers RegionOfResidence RelatedFrameOfReferenceUID
    RequestAttributesSequence RequestedContrastAgent RequestedProcedureComments RequestedProcedureDescription
    RequestedProcedureID RequestedProcedureLocation RequestedSOPInstanceUID RequestedSeriesDescription RequestingAE
    RequestingPhysician RequestingService RespiratoryMotionCompensationTechniqueDescription ResponsibleOrganization
    ResponsiblePerson ResultsComments ResultsDistributionListSequence ResultsID ResultsIDIssuer RetrieveAETitle
    ReviewDate ReviewTime ReviewerName SOPAuthorizationDateTime SOPInstanceUID SafePositionExitDate
    SafePositionExitTime SafePositionReturnDate SafePositionReturnTime ScheduledAdmissionDate ScheduledAdmissionTime
    ScheduledDischargeDate ScheduledDischargeTime ScheduledHumanPerformersSequence
    ScheduledPatientInstitutionResidence ScheduledPerformingPhysicianIdentificationSequence
    ScheduledPerformingPhysicianName ScheduledProcedureStepDescription ScheduledProcedureStepEndDate
    ScheduledProcedureStepEndTime ScheduledProcedureStepExpirationDateTime ScheduledProcedureStepID
    ScheduledProcedureStepLocation ScheduledProcedureStepModificationDateTime ScheduledProcedureStepStartDate
    ScheduledProcedureStepStartDateTime ScheduledProcedureStepStartTime ScheduledStationAETitle
    ScheduledStationGeographicLocationCodeSequence ScheduledStationName ScheduledStationNameCodeSequence
    ScheduledStudyLocation ScheduledStudyLocationAETitle ScheduledStudyStartDate ScheduledStudyStartTime
    ScheduledStudyStopDate ScheduledStudyStopTime SelectorAEValue SelectorASValue SelectorDAValue SelectorDTValue
    SelectorLOValue SelectorLTValue SelectorOBValue SelectorPNValue SelectorSHValue SelectorSTValue SelectorTMValue
    SelectorUNValue SelectorURValue SelectorUTValue SeriesDate SeriesDescription SeriesInstanceUID SeriesTime
    ServiceEpisodeDescription ServiceEpisodeID SetupTechniqueDescription ShieldingDeviceDescription SlideIdentifier
    SmokingStatus SourceConceptualVolumeUID SourceEndDateTime SourceFrameOfReferenceUID SourceIdentifier
    SourceImageSequence SourceManufacturer SourceOfPreviousValues SourceSerialNumber SourceStartDateTime
    SourceStrengthReferenceDate SourceStrengthReferenceTime SpecialNeeds SpecimenAccessionNumber
    SpecimenDetailedDescription SpecimenIdentifier SpecimenPreparationSequence SpecimenShortDescription SpecimenUID
    StartAcquisitionDateTime StationAETitle StationName StorageMediaFileSetUID StructureSetDate
    StructureSetDescription StructureSetLabel StructureSetName StructureSetTime StudyArrivalDate StudyArrivalTime
    StudyComments StudyCompletionDate StudyCompletionTime StudyDate StudyDescription StudyID StudyIDIssuer
    StudyInstanceUID StudyReadDate StudyReadTime StudyTime StudyVerifiedDate StudyVerifiedTime
    SubstanceAdministrationDateTime SynchronizationFrameOfReferenceUID TargetUID TelephoneNumberTrial
    TemplateExtensionCreatorUID TemplateExtensionOrganizationUID TemplateLocalVersion TemplateVersion TextComments
    TextString Time TimeOfDocumentCreationOrVerbalTransactionTrial TimeOfLastCalibration
    TimeOfLastDetectorCalibration TimeOfSecondaryCapture TimezoneOffsetFromUTC TopicAuthor TopicKeywords
    TopicSubject TopicTitle TrackingUID TransactionUID TransducerIdentificationSequence TreatmentControlPointDate
    TreatmentControlPointTime TreatmentDate TreatmentMachineName TreatmentPositionGroupLabel
    TreatmentPositionGroupUID TreatmentSessionUID TreatmentSite TreatmentSites TreatmentTechniqueNotes TreatmentTime
    TreatmentToleranceViolationDateTime TreatmentToleranceViolationDescription UDISequence UID
    UniqueDeviceIdentifier UserContentLabel UserContentLongLabel VerbalSourceIdentifierCodeSequenceTrial
    VerbalSourceTrial VerificationDateTime VerifyingObserverIdentificationCodeSequence VerifyingObserverName
    VerifyingObserverSequence VerifyingOrganization VisitComments WaveformFilterDescription XRayDetectorID
    XRayDetectorLabel XRaySourceID
    """.split()
)
PRIVATE = "PrivateAttributes"
CURVES = "CurveData"
OVERLAYS = "OverlayDataOrComments"
IDENTITY_REMOVED = "PatientIdentityRemoved"
CURVE_GROUPS = range(0x5000, 0x5100)
OVERLAY_GROUPS = range(0x6000, 0x6100)
OVERLAY_ELEMENTS = (0x3000, 0x4000)  # data and comments; the rest of the group is geometry
BAD_VALUE = (
    AttributeError,
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,
    OSError,
    TypeError,
    ValueError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Identifying:
    """What a file says about the person behind it: keywords of attributes, never their values.

    Attributes:
        tags: see `identifying_tags`.
        burned_in: the file says that its pixels show identifying text (BurnedInAnnotation, PS3.3 C.7.6.1.1.5).
    """

    tags: tuple[str, ...]
    burned_in: bool


def identifying(dataset: Dataset) -> Identifying:
    """Return what the file says; an attribute whose value can't be read counts as present."""
    return Identifying(identifying_tags(dataset), _says_yes(dataset, "BurnedInAnnotation"))


def identifying_tags(dataset: Dataset) -> tuple[str, ...]:
    """Return the keywords of the profile's attributes that have a value, nested ones too, sorted.

    `PrivateAttributes`, `CurveData` and `OverlayDataOrComments` stand for the groups that have no keyword of their own;
    `PatientIdentityRemoved` is among them where the file declares so: its other values are then replacements.
    """
    found: set[str] = set()
    _collect(dataset, found)
    if _says_yes(dataset, IDENTITY_REMOVED):
        found.add(IDENTITY_REMOVED)
    return tuple(sorted(found))


def _says_yes(dataset: Dataset, keyword: str) -> bool:
    try:
        return str(dataset.get(keyword, "") or "").strip().upper() == "YES"
    except BAD_VALUE:
        return False


def _collect(dataset: Dataset, found: set[str]) -> None:
    for tag in list(dataset.keys()):
        name = PRIVATE if tag.is_private else _name(tag.group, tag.element)
        try:
            element = dataset[tag]
            nested = [] if tag.is_private or element.VR != "SQ" else list(element.value or [])
            empty = element.is_empty
        except BAD_VALUE:
            nested, empty = [], False
        if name and not empty:
            found.add(name)
        for item in nested:
            _collect(item, found)


def _name(group: int, element: int) -> str:
    if group in CURVE_GROUPS:
        return CURVES
    if group in OVERLAY_GROUPS:
        return OVERLAYS if element in OVERLAY_ELEMENTS else ""
    keyword = keyword_for_tag((group << 16) + element)
    return keyword if keyword in BASIC_PROFILE else ""
