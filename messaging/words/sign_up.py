"""What a sign-up form says."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Sign up",
        "problem": "There is a problem",
        "email": "Your e-mail address",
        "agree": "I agree.",
        "join": "Sign up",
        "agree_needed": "Tick this if you agree; leave the page if you do not.",
        "email_wrong": "This is not an e-mail address. It needs the form name@place.example.",
        "too_many": "Too many sign-ups came from your network. Please try again in a while.",
        "asked": "One more step",
        "asked_note": "We sent you a mail. Follow its link and press the button there; nothing "
        "counts before that.",
    },
    "es": {
        "title": "Suscribirse",
        "problem": "Hay un problema",
        "email": "Su dirección de correo electrónico",
        "agree": "Estoy de acuerdo.",
        "join": "Suscribirme",
        "agree_needed": "Márquelo si está de acuerdo; si no, cierre la página.",
        "email_wrong": "No es una dirección de correo. Tiene la forma nombre@lugar.example.",
        "too_many": "Llegaron demasiadas solicitudes de su red. Pruebe más tarde, por favor.",
        "asked": "Falta un paso",
        "asked_note": "Le enviamos un correo. Siga su enlace y pulse el botón; antes de eso nada "
        "cuenta.",
    },
}
