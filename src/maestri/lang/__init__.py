"""The YAML language: files to checked, compiled workflows."""
