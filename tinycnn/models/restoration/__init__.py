"""Networks that give an image back: denoisers and autoencoders, the noise they meet, and learning without clean images."""

from .autoencoder import *
from .blind_spot import *
from .care import *
from .dncnn import *
from .noise import *

__all__ = [name for name in list(globals()) if not name.startswith("_")]
