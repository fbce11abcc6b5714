"""The addresses that stand in mails, below /m/. They are short, and nothing in them can be read."""

from __future__ import annotations

from django.urls import path

from messaging.hearing import reported
from messaging.portal import pages, pictures, views
from messaging.texts.door import gateway_reports

urlpatterns = [
    path("o/<str:token>.gif", views.opened, name="mail-opened"),
    path("c/<str:token>/<int:number>", views.clicked, name="mail-clicked"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/tracking", views.tracking, name="untrack"),
    path("i/<str:token>.<str:kind>", pictures.picture, name="mail-picture"),
    path("p/<str:token>", pages.door, name="pickup"),
    path("p/<str:token>/message", pages.message, name="pickup-message"),
    path("p/<str:token>/body", pages.body, name="pickup-body"),
    path("p/<str:token>/files/<uuid:number>", pages.file, name="pickup-file"),
    path("p/<str:token>/key", pages.key, name="pickup-key"),
    path("p/<str:token>/leave", pages.leave, name="pickup-leave"),
    path("w/<str:token>/", reported.reported, name="provider-reports"),
    path("t/<str:token>/", gateway_reports, name="text-reports"),
]
