"""Networks that turn a picture into a vector, so that like pictures lie near each other; one file a paper."""

from .koch import *
from .small_face import *
from .vinyals import *
