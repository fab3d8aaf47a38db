"""The legal clock: how the law's days, working days and months are counted.

`calendar` knows which days are worked, `period` what the law allows, `reckoning` how
far a running clock has come. All of it is pure: the day «today» is handed in, as the
date in Asia/Shanghai. `calendar_store` describes how later years are kept.
"""
