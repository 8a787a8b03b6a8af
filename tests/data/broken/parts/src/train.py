"""Stands for a program; no test runs it."""
