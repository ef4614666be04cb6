"""Agents: the adapters that perform tasks. Each is one module; none knows another."""
