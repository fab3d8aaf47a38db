"""Complaints (投诉举报) from registration to closing, mediators, and cross-events (多跨事件)."""
