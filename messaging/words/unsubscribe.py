"""What the page behind the unsubscribe link of a mail says."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Stop these mails",
        "ask": "Stop these mails?",
        "done": "You are unsubscribed",
        "done_note": "It counts from now on: you get no more",
        "ask_note": "You will get no more",
        "what_marketing": "mails about services and classes",
        "what_treatment": "mails about your treatment",
        "what_other": "mails about daily work",
        "from": "from",
        "care": "Your care does not change.",
        "stop": "Stop these mails",
        "choices_all": "See all your choices",
        "choices": "Choose topics, how often, or take a break",
        "measure": "Keep the mails, but do not measure them",
        "measure_note": "We see whether a mail was opened and which link was followed. You can "
        "turn that off.",
        "measure_stop": "Stop measuring",
        "measure_off": "Measuring is off",
        "measure_off_note": "From the next mail on, nobody sees whether you open it or which link "
        "you follow.",
    },
    "es": {
        "title": "No recibir más estos correos",
        "ask": "¿No recibir más estos correos?",
        "done": "Ya no está suscrito",
        "done_note": "Vale desde ahora: no recibirá más",
        "ask_note": "No recibirá más",
        "what_marketing": "correos sobre servicios y clases",
        "what_treatment": "correos sobre su tratamiento",
        "what_other": "correos sobre el trabajo diario",
        "from": "de",
        "care": "Su atención no cambia.",
        "stop": "No recibir más estos correos",
        "choices_all": "Ver todo lo que puede elegir",
        "choices": "Elegir temas, con qué frecuencia, o hacer una pausa",
        "measure": "Recibir los correos, pero sin medirlos",
        "measure_note": "Vemos si un correo se abrió y qué enlace se siguió. Puede desactivarlo.",
        "measure_stop": "No medir más",
        "measure_off": "La medición está desactivada",
        "measure_off_note": "Desde el próximo correo nadie ve si lo abre ni qué enlace sigue.",
    },
}
