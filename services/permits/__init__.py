"""Administrative permits (行政许可): EIA, discharge and radiation, through the window or 渝快办."""
