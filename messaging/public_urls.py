"""The addresses that stand in mails, below /m/. They are short, and nothing in them can be read."""

from __future__ import annotations

from django.urls import path

from messaging.hearing import reported
from messaging.portal import pictures, views

urlpatterns = [
    path("o/<str:token>.gif", views.opened, name="mail-opened"),
    path("c/<str:token>/<int:number>", views.clicked, name="mail-clicked"),
    path("u/<str:token>", views.unsubscribe, name="unsubscribe"),
    path("u/<str:token>/tracking", views.tracking, name="untrack"),
    path("i/<str:token>.<str:kind>", pictures.picture, name="mail-picture"),
    path("p/<str:token>", views.picked_up, name="pickup"),
    path("p/<str:token>/message", views.message, name="pickup-message"),
    path("w/<str:token>/", reported.reported, name="provider-reports"),
    path("p/<str:token>/files/<uuid:number>", views.file, name="pickup-file"),
    path("p/<str:token>/body", views.message_body, name="pickup-body"),
]
