"""Printed tables, drawn: honest ones, and ones with a planted error, for the audit to find."""
