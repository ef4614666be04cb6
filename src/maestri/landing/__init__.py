"""Bringing the work of several branches together: patterns made of steps, run by the kernel."""
