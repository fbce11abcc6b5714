"""What patients are told where a page cannot be shown."""

from __future__ import annotations

from collections.abc import Mapping

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title_400": "This request cannot be read",
        "text_400": "Go back, reload the page, and try again.",
        "title_403": "This page is not open to you",
        "text_403": "Go back, reload the page, and try again.",
        "title_404": "There is nothing here",
        "text_404": "The link may be mistyped or cut off, or what was here is gone. Open the "
        "newest mail that you got, or call whoever sent it.",
        "title_500": "Something broke on our side",
        "text_500": "Nothing was half done. Try again; if it stays, call whoever sent you the "
        "link.",
    },
    "es": {
        "title_400": "No se puede leer esta solicitud",
        "text_400": "Vuelva atrás, cargue la página de nuevo e inténtelo otra vez.",
        "title_403": "Esta página no está abierta para usted",
        "text_403": "Vuelva atrás, cargue la página de nuevo e inténtelo otra vez.",
        "title_404": "Aquí no hay nada",
        "text_404": "El enlace puede estar mal escrito o cortado, o lo que había aquí ya no está. "
        "Abra el correo más reciente que recibió, o llame a quien se lo envió.",
        "title_500": "Algo falló de nuestro lado",
        "text_500": "Nada quedó a medias. Inténtelo de nuevo; si sigue igual, llame a quien le "
        "envió el enlace.",
    },
}
