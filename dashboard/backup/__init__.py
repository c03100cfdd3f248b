"""Backups of the stores: taken online, counted only once verified, kept by rule, restored by drill or in earnest."""
