"""What receivers report of our domains: DMARC (RFC 9990) by source, TLS (RFC 8460) by result.

Anybody can send such a report, so it is read as hostile input, believed of nothing but its own
numbers, and never acted upon by itself.
"""

from messaging.domain_reports.report import Line, Report, ReportRefused

__all__ = ["Line", "Report", "ReportRefused"]
