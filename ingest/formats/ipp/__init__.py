"""IPP, by which printers say what is left of their supplies."""
