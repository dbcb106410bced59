"""Kernels for a CUDA device: numba.cuda, with the names, parameters and order of their twins in reference/.

One thread computes one number of the output, in the definition's order, and writes it alone: no atomics, so results do not depend on timing.
NUMBA_ENABLE_CUDASIM=1, set before the first import, runs them on the CPU, one Python thread each: that is how they are tested.
"""
