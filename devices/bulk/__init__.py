"""Many readings at once, by COPY: for files and other floods, where one statement a batch would be too slow."""
