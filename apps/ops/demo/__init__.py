"""Invented members, homes and pictures, with which a new installation does not look empty."""
