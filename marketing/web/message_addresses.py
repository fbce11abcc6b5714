"""Addresses of templates and messages."""

from __future__ import annotations

from django.urls import path

from marketing.web import delivery, messages, templates_pages

urlpatterns = [
    path("templates/", templates_pages.templates, name="templates"),
    path("templates/<uuid:template_id>/", templates_pages.template, name="template"),
    path(
        "templates/<uuid:template_id>/problems/", templates_pages.problems, name="template-problems"
    ),
    path(
        "templates/<uuid:template_id>/versions/<int:number>/approval/",
        templates_pages.approve,
        name="template-approve",
    ),
    path(
        "templates/<uuid:template_id>/versions/<int:number>/",
        templates_pages.preview,
        name="template-preview",
    ),
    path(
        "templates/<uuid:template_id>/versions/<int:number>/body/",
        templates_pages.preview_body,
        name="template-body",
    ),
    path("delivery/", delivery.delivery, name="delivery"),
    path("delivery/reviewed/", delivery.reviewed, name="delivery-reviewed"),
    path("messages/", messages.messages, name="messages"),
    path("messages/<uuid:public_id>/", messages.message, name="message"),
    path("messages/<uuid:public_id>/said/", messages.said, name="message-said"),
]
