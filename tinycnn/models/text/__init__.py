"""Networks for sentences, one file a paper."""

from .kim import *
from .zhang_wallace import *
