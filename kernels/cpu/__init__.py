"""The fast kernels: Numba, with the names, parameters and order of their twins in reference/."""
