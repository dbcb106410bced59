"""A page that shows a network while it learns, served on 127.0.0.1 by the standard library alone.

`page`: the watcher that ties everything together. `controls`: what a tab may change. `curves`: histories of bounded length. `pictures`: arrays as
small images. `dropped`: a picture that somebody drops on the page. `server`: who may ask for what. `document`, `style`, `script`: the page itself.
"""

from .page import LivePage

__all__ = ["LivePage"]
