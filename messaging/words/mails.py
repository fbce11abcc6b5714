"""What our own mails to patients say: the notice of the portal, and the code for it."""

from __future__ import annotations

from collections.abc import Mapping

NOTICE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "subject": "A message for you from {{ organisation.name }}",
        "preview": "Open it on our secure page.",
        "title": "A message waits for you",
        "lead": "To keep it private, you read it on our secure page. We send you a code there; "
        "have your date of birth at hand, too. You need no account and no password.",
        "read": "Read the message",
        "lasts": "The link works for three days. After that you can ask for a new one on the same "
        "page. If you did not expect this mail, you need not do anything.",
        "stop": "Stop these mails",
    },
    "es": {
        "subject": "Un mensaje para usted de {{ organisation.name }}",
        "preview": "Ábralo en nuestra página segura.",
        "title": "Le espera un mensaje",
        "lead": "Para que siga siendo privado, lo lee en nuestra página segura. Allí le enviamos "
        "un código; tenga a mano también su fecha de nacimiento. No necesita cuenta ni contraseña.",
        "read": "Leer el mensaje",
        "lasts": "El enlace sirve tres días. Después puede pedir uno nuevo en la misma página. Si "
        "no esperaba este correo, no tiene que hacer nada.",
        "stop": "No recibir más estos correos",
    },
}
CODE: Mapping[str, Mapping[str, str]] = {
    "en": {
        "subject": "Your code for {{ organisation.name }}",
        "title": "Your code",
        "text": "{{ organisation.name }}: your code is {{ contact.code }}. It works for 15 "
        "minutes, once. Give it to nobody.",
        "lead": "Type it on the page where the message waits. It works for 15 minutes, once.",
        "warning": "Give it to nobody; nobody of ours asks for it by phone. If you did not ask "
        "for a code, you need not do anything: without your date of birth it opens nothing.",
    },
    "es": {
        "subject": "Su código de {{ organisation.name }}",
        "title": "Su código",
        "text": "{{ organisation.name }}: su código es {{ contact.code }}. Sirve 15 minutos, una "
        "vez. No se lo dé a nadie.",
        "lead": "Escríbalo en la página donde espera el mensaje. Sirve 15 minutos y una sola vez.",
        "warning": "No se lo dé a nadie; nadie de los nuestros lo pide por teléfono. Si no pidió "
        "un código, no tiene que hacer nada: sin su fecha de nacimiento no abre nada.",
    },
}
LETTER: Mapping[str, Mapping[str, str]] = {
    "en": {
        "subject": "{{ organisation.name }} answers you",
        "preview": "The answer to what you wrote to us.",
        "title": "The answer to what you wrote to us",
    },
    "es": {
        "subject": "{{ organisation.name }} le responde",
        "preview": "La respuesta a lo que nos escribió.",
        "title": "La respuesta a lo que nos escribió",
    },
}
