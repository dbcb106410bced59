"""Which slides of the five lecture decks which operators belong to: a light map, for the book's index by deck."""

from __future__ import annotations

__all__ = ["DECKS", "ROWS", "rows_of"]

# Deck: what it is about.
DECKS = {
    "S0": "Practical machine learning and deep learning: convolutional networks, detection, segmentation, style, text",
    "S1": "Review of architectures: segmentation networks, the R-CNN family, Mask R-CNN, pose",
    "S2": "Convolution arithmetic with numbers, architectures, YOLO's loss, denoising, faces",
    "S3": "Output sizes, parameters, pooling, networks in the browser",
    "S4": "Architectures on CIFAR-10, transfer learning, detection, metrics",
}
CONV = ("conv2d",)
POOLS = ("max_pool2d", "avg_pool2d", "lp_pool2d", "sum_pool2d", "min_pool2d")
UNPOOLS = ("max_unpool1d", "max_unpool2d", "max_unpool3d", "unpool2d")
TRANSPOSED = ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d")
RESIZES = ("interpolate", "upsample", "upsample_bilinear", "upsample_nearest")
DROPS = ("dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_alpha_dropout", "drop_block2d", "drop_block3d")
CROSS_ENTROPIES = ("cross_entropy", "nll_loss", "softmax", "log_softmax", "one_hot")
BINARY = ("binary_cross_entropy", "binary_cross_entropy_with_logits")
OVERLAPS = ("box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou")
MARGINS = ("arcface_logits", "arcface_loss", "cosface_logits", "cosface_loss", "sphereface_logits", "sphereface_loss")

# Row of the feature table: topic, decks, operators.
ROWS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    "A01": ("Tensors and their axes", ("S2",), ("reshape", "view", "flatten", "unflatten", "permute", "transpose", "squeeze", "unsqueeze")),
    "A02": ("Convolution and correlation", ("S2",), ("conv2d", "convolve1d", "convolve2d", "convolve3d")),
    "A03": ("Filters on an image", ("S2",), CONV),
    "A05": ("The sliding window", ("S0",), ("conv2d", "unfold")),
    "A06": ("Convolution as a matrix product", ("S2",), ("conv2d", "unfold", "fold", "matmul")),
    "A08": ("Equivariance and invariance", ("S2",), ("conv2d", "max_pool2d", "roll")),
    "A10": ("Filters through the full depth", ("S3",), CONV),
    "A12": ("Several channels and filters", ("S2", "S4"), CONV),
    "A14": ("Output size", ("S3",), ("conv2d", "max_pool2d", "avg_pool2d")),
    "A17": ("Parameters of a layer", ("S3",), ("conv2d", "linear")),
    "A18": ("Padding: zeros, replication, reflection, circular", ("S2",), ("pad", "conv2d")),
    "A21": ("Dilation", ("S2",), ("conv2d", "max_pool2d")),
    "A23": ("Learning a kernel", ("S4",), ("conv2d", "mse_loss")),
    "A24": ("Convolution of 1 x 1", ("S0", "S1"), ("conv2d", "linear")),
    "A26": ("Depthwise and pointwise convolution", ("S2",), CONV),
    "A27": ("Groups and shuffling channels", ("S4", "S0"), ("conv2d", "channel_shuffle")),
    "A29": ("Convolution over text", ("S0",), ("conv1d", "embedding", "max_pool1d", "global_max_pool")),
    "B01": ("Pooling", ("S2", "S3"), (*POOLS, "max_pool1d", "avg_pool1d", "max_pool3d", "avg_pool3d")),
    "B05": ("Global average pooling", ("S1", "S2"), ("global_avg_pool", "adaptive_avg_pool2d", "mean")),
    "B07": ("Unpooling", ("S0",), ("max_pool2d", *UNPOOLS)),
    "B09": ("Transposed convolution", ("S0",), TRANSPOSED),
    "B12": ("Bilinear upsampling", ("S0",), (*RESIZES, "grid_sample", "affine_grid", "pixel_shuffle")),
    "B13": ("Regions of interest", ("S0", "S1", "S4"), ("roi_pool", "roi_align", "ps_roi_pool", "ps_roi_align")),
    "C01": ("Fully connected layer", ("S3",), ("linear", "flatten")),
    "C02": ("Activations", ("S1", "S2"), ("relu", "sigmoid", "tanh", "softmax", "relu6", "leaky_relu", "silu", "gelu", "hardswish")),
    "C03": ("Dropout", ("S1", "S3"), DROPS),
    "C04": ("Residual connections", ("S0", "S1", "S2"), ("add", "stochastic_depth")),
    "C06": ("Inception's branches", ("S0", "S1"), ("cat", "conv2d", "avg_pool2d")),
    "C09": ("Squeeze and excitation", ("S2", "S4"), ("global_avg_pool", "sigmoid", "mul", "hardsigmoid")),
    "C12": ("Self-attention", ("S2",), ("scaled_dot_product_attention", "multi_head_attention_forward", "layer_norm")),
    "C13": ("Normalisation", ("S0", "S2", "S4"), ("batch_norm", "local_response_norm", "layer_norm", "group_norm", "instance_norm")),
    "C14": ("Skips from encoder to decoder", ("S0", "S1", "S2"), ("cat", "add", "narrow")),
    "E01": ("Cross-entropy from the likelihood", ("S2",), CROSS_ENTROPIES),
    "E02": ("Binary cross-entropy against squared error", ("S2",), (*BINARY, "mse_loss", "sigmoid")),
    "E03": ("Losses of every pixel", ("S1",), ("cross_entropy", *BINARY, "dice_loss", "lovasz_softmax", "lovasz_hinge")),
    "E05": ("Regression of boxes", ("S0", "S4"), ("smooth_l1_loss", "huber_loss", "l1_loss", "mse_loss")),
    "E07": ("Class imbalance", ("S2",), ("focal_loss", "sigmoid_focal_loss")),
    "E09": ("Contrastive loss", ("S2",), ("contrastive_loss", "pairwise_distance")),
    "E10": ("Triplet loss", ("S2",), ("triplet_margin_loss", "triplet_margin_with_distance_loss", "triplet_loss_batch")),
    "E11": ("Margins of angles", ("S2",), (*MARGINS, "cosine_similarity")),
    "E12": ("Which loss estimates what", ("S2",), ("mse_loss", "l1_loss", "mean", "median")),
    "E13": ("Style and its Gram matrix", ("S0",), ("gram_matrix", "style_loss", "total_variation")),
    "F05": ("Boxes and their forms", ("S0", "S4"), ("box_convert", "box_area", "clip_boxes_to_image", "remove_small_boxes")),
    "F14": ("Instance masks", ("S0", "S1"), ("roi_align", "masks_to_boxes", "conv_transpose2d")),
    "F18": ("Non-maximum suppression", ("S4",), ("nms", "batched_nms")),
    "F19": ("Intersection over union", ("S1", "S4"), (*OVERLAPS, "generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss")),
    "G02": ("Fully convolutional networks", ("S0", "S1"), ("conv2d", "conv_transpose2d", "interpolate")),
    "G03": ("Decoders that unpool", ("S0",), ("max_unpool2d", "conv_transpose2d")),
    "J04": ("The memory exercise", ("S0",), CONV),
}


def rows_of(name: str) -> list[tuple[str, str, tuple[str, ...]]]:
    """The rows an operator belongs to: row, topic, decks.

    Examples
    --------
    >>> rows_of("nms")
    [('F18', 'Non-maximum suppression', ('S4',))]
    """
    return [(row, topic, decks) for row, (topic, decks, operators) in ROWS.items() if name in operators]
