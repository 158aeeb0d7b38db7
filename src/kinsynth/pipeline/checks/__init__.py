"""pipeline/checks"""
