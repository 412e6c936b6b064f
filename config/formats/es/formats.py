DATE_FORMAT = SHORT_DATE_FORMAT = "j b Y"
# Every moment on a page is UTC (settings.TIME_ZONE), and says so.
DATETIME_FORMAT = SHORT_DATETIME_FORMAT = r"j b Y, H:i \U\T\C"
