"""Data sets, the loader that makes batches of them, and transforms, under torch's and torchvision's names."""

from . import transforms
from .annotated import AnnotatedImages
from .cifar import parse_cifar_binary, parse_cifar_pickle
from .dataset import ArrayDataset, Dataset, ImageDataset, Subset, TensorDataset, random_split
from .detection import DetectionDataset
from .digits import load_digits
from .download import data_folders
from .folder import ImageFolder, read_picture
from .idx import parse_idx, read_idx
from .instances import InstanceMaps
from .kept import KeptInMemory
from .label_maps import (
    CAMVID_CLASSES,
    LABEL_MAP_NAMES,
    VOC_NAMES,
    LabelMaps,
    MaskMaps,
    instance_targets,
    known_name,
    load_label_maps,
    read_label_map,
)
from .load import DATASETS, default_transform, load_dataset
from .loader import DataLoader, default_collate
from .safe_pickle import load_pickle
from .shapes import ShapesDetection

__all__ = [
    "CAMVID_CLASSES",
    "DATASETS",
    "LABEL_MAP_NAMES",
    "VOC_NAMES",
    "AnnotatedImages",
    "ArrayDataset",
    "DataLoader",
    "Dataset",
    "DetectionDataset",
    "ImageDataset",
    "ImageFolder",
    "InstanceMaps",
    "KeptInMemory",
    "LabelMaps",
    "MaskMaps",
    "ShapesDetection",
    "Subset",
    "TensorDataset",
    "data_folders",
    "default_collate",
    "default_transform",
    "instance_targets",
    "known_name",
    "load_dataset",
    "load_digits",
    "load_label_maps",
    "load_pickle",
    "parse_cifar_binary",
    "parse_cifar_pickle",
    "parse_idx",
    "random_split",
    "read_idx",
    "read_label_map",
    "read_picture",
    "transforms",
]
