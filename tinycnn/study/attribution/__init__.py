"""Where a network looks: maps of one number a pixel, one method a file; and pictures of filters, activations, patches and masks."""

from .cam import cam
from .deconvnet import deconvnet
from .grad_cam import grad_cam
from .grad_cam_plus_plus import grad_cam_plus_plus
from .guided_backprop import guided_backprop
from .integrated_gradients import integrated_gradients
from .layer_cam import layer_cam
from .layers import last_maps, map_layers
from .masks import AttentionMask, attention_masks
from .methods import METHODS, attribute
from .occlusion import occlusion
from .overlay import overlay
from .page import attribution_page
from .randomisation import Randomisation, randomisation
from .result import Attribution
from .saliency import saliency
from .score_cam import score_cam
from .sheet import attribution_sheet
from .smooth_grad import smooth_grad
from .tiles import activation_grid, filter_grid
from .top_patches import Patch, patch_grid, top_patches

__all__ = [
    "METHODS",
    "AttentionMask",
    "Attribution",
    "Patch",
    "Randomisation",
    "activation_grid",
    "attention_masks",
    "attribute",
    "attribution_page",
    "attribution_sheet",
    "cam",
    "deconvnet",
    "filter_grid",
    "grad_cam",
    "grad_cam_plus_plus",
    "guided_backprop",
    "integrated_gradients",
    "last_maps",
    "layer_cam",
    "map_layers",
    "occlusion",
    "overlay",
    "patch_grid",
    "randomisation",
    "saliency",
    "score_cam",
    "smooth_grad",
    "top_patches",
]
