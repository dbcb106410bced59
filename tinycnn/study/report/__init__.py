"""A run as a short paper on the midterm's template: motivation, method, evaluation, reproduction; as HTML, LaTeX and notebook."""

from .blocks import Ask, Curves, Diagram, Grid, Listing, Picture, Section, Words
from .paper import Paper, run_report
from .run_facts import RunFacts, read_run

__all__ = ["Ask", "Curves", "Diagram", "Grid", "Listing", "Paper", "Picture", "RunFacts", "Section", "Words", "read_run", "run_report"]
