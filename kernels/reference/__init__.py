"""The definitions: plain nested loops over indices, readable and slow, on floats, fractions and traced numbers alike."""
