"""Numbers that say how good a model is."""

from .classification import (
    ClassReport,
    accuracy,
    class_report,
    confusion_matrix,
    top_k_accuracy,
)

__all__ = ["ClassReport", "accuracy", "class_report", "confusion_matrix", "top_k_accuracy"]
