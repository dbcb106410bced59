"""Numbers that say how good a model is, under scikit-learn's, scikit-image's and COCO's names and rules."""

from .agreement import accuracy_score, balanced_accuracy_score, cohen_kappa_score, hamming_loss, matthews_corrcoef, zero_one_loss
from .areas import average_precision_score, roc_auc_score, top_k_accuracy_score
from .class_table import classification_report
from .classification import ClassReport, accuracy, class_report, top_k_accuracy
from .confusion import confusion_matrix, multilabel_confusion_matrix
from .curves import auc, det_curve, equal_error_rate, precision_recall_curve, roc_curve, tar_at_far
from .detection_coco import CocoEvaluation, coco_evaluation
from .detection_curves import PrecisionRecall, average_precision, precision_recall_of
from .detection_matching import match_coco, match_voc
from .detection_overlaps import COCO_SIGMAS, box_overlaps, keypoint_similarity
from .detection_records import Detected, DetectionData, Truth, coco_detections
from .detection_verdicts import detection_verdicts
from .detection_voc import voc_curves
from .image import mean_squared_error, normalized_root_mse, peak_signal_noise_ratio, structural_similarity
from .precision_recall import (
    f1_score,
    fbeta_score,
    jaccard_score,
    macro_f1_score,
    precision_recall_fscore_support,
    precision_score,
    recall_score,
)
from .probabilities import brier_score_loss, calibration_curve, expected_calibration_error, log_loss
from .rle import rle_area, rle_box, rle_decode, rle_encode, rle_iou, rle_merge
from .rle_polygon import polygons_to_rle
from .segmentation import (
    SegmentationScores,
    frequency_weighted_iou,
    mean_accuracy,
    mean_dice,
    mean_iou,
    pixel_accuracy,
    segmentation_confusion,
    segmentation_scores,
)

__all__ = [
    "COCO_SIGMAS",
    "ClassReport",
    "CocoEvaluation",
    "Detected",
    "DetectionData",
    "PrecisionRecall",
    "SegmentationScores",
    "Truth",
    "accuracy",
    "accuracy_score",
    "auc",
    "average_precision",
    "average_precision_score",
    "balanced_accuracy_score",
    "box_overlaps",
    "brier_score_loss",
    "calibration_curve",
    "class_report",
    "classification_report",
    "coco_detections",
    "coco_evaluation",
    "cohen_kappa_score",
    "confusion_matrix",
    "det_curve",
    "detection_verdicts",
    "equal_error_rate",
    "expected_calibration_error",
    "f1_score",
    "fbeta_score",
    "frequency_weighted_iou",
    "hamming_loss",
    "jaccard_score",
    "keypoint_similarity",
    "log_loss",
    "macro_f1_score",
    "match_coco",
    "match_voc",
    "matthews_corrcoef",
    "mean_accuracy",
    "mean_dice",
    "mean_iou",
    "mean_squared_error",
    "multilabel_confusion_matrix",
    "normalized_root_mse",
    "peak_signal_noise_ratio",
    "pixel_accuracy",
    "polygons_to_rle",
    "precision_recall_curve",
    "precision_recall_fscore_support",
    "precision_recall_of",
    "precision_score",
    "recall_score",
    "rle_area",
    "rle_box",
    "rle_decode",
    "rle_encode",
    "rle_iou",
    "rle_merge",
    "roc_auc_score",
    "roc_curve",
    "segmentation_confusion",
    "segmentation_scores",
    "structural_similarity",
    "tar_at_far",
    "top_k_accuracy",
    "top_k_accuracy_score",
    "voc_curves",
    "zero_one_loss",
]
