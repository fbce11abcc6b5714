"""Addresses of contacts, lists, imports, what machines sent, and the sample's mailbox."""

from __future__ import annotations

from django.urls import path

from marketing.web import (
    contacts,
    family,
    history,
    import_acts,
    import_columns,
    imports,
    integrations,
    lists,
    mailbox,
    person_keys,
    phones,
    points,
    review,
)

urlpatterns = [
    # People
    path("contacts/", contacts.contacts, name="contacts"),
    path("contacts/names/", contacts.names, name="contact-names"),
    path("contacts/search/", contacts.search, name="contact-search"),
    path("contacts/<uuid:public_id>/", contacts.contact, name="contact"),
    path("contacts/<uuid:public_id>/family/", family.family, name="contact-family"),
    path("contacts/<uuid:public_id>/family/names/", family.names, name="contact-family-names"),
    path("contacts/<uuid:public_id>/family/join/", family.join, name="contact-household-join"),
    path(
        "contacts/<uuid:public_id>/family/<uuid:household_id>/leave/",
        family.leave,
        name="contact-household-leave",
    ),
    path(
        "contacts/<uuid:public_id>/representatives/<uuid:representation_id>/end/",
        family.end,
        name="contact-representative-end",
    ),
    path("contacts/<uuid:public_id>/history/", history.history, name="contact-history"),
    path("contacts/<uuid:public_id>/history/values/", history.values, name="contact-changes"),
    path(
        "contacts/<uuid:public_id>/correct/<str:data_class>/",
        history.correct,
        name="contact-correct",
    ),
    path("contacts/<uuid:public_id>/points/", points.points, name="contact-points"),
    path("contacts/<uuid:public_id>/points/values/", points.values, name="contact-point-values"),
    path("contacts/<uuid:public_id>/points/<uuid:point_id>/", points.change, name="contact-point"),
    path(
        "contacts/<uuid:public_id>/points/<uuid:point_id>/remove/",
        points.remove,
        name="contact-point-remove",
    ),
    path("contacts/<uuid:public_id>/keys/", person_keys.keys, name="contact-keys"),
    path(
        "contacts/<uuid:public_id>/keys/<uuid:key_id>/remove/",
        person_keys.remove,
        name="contact-key-remove",
    ),
    path("contacts/<uuid:public_id>/<str:data_class>/", contacts.values, name="contact-values"),
    path("people/review/", review.proposals, name="people-review"),
    path("people/review/again/", review.again, name="people-review-again"),
    path("people/review/<uuid:proposal_id>/", review.compare, name="people-compare"),
    path("people/review/<uuid:proposal_id>/values/", review.values, name="people-compare-values"),
    path("people/review/<uuid:proposal_id>/merge/", review.merge, name="people-merge"),
    path("people/review/<uuid:proposal_id>/different/", review.different, name="people-different"),
    path("people/merges/<uuid:merge_id>/undo/", review.undo, name="people-unmerge"),
    path("lists/", lists.lists, name="lists"),
    path("lists/<uuid:list_id>/", lists.one, name="list"),
    path("lists/<uuid:list_id>/join/", lists.join, name="list-join"),
    path("lists/<uuid:list_id>/leave/", lists.leave, name="list-leave"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<uuid:run_id>/", imports.one, name="import"),
    path("imports/<uuid:run_id>/progress/", imports.progress, name="import-progress"),
    path("imports/<uuid:run_id>/columns/", import_columns.columns, name="import-columns"),
    path("imports/<uuid:run_id>/reading/", import_columns.reading, name="import-reading"),
    path("imports/<uuid:run_id>/start/", import_acts.begin, name="import-start"),
    path("imports/<uuid:run_id>/pause/", import_acts.pause, name="import-pause"),
    path("imports/<uuid:run_id>/resume/", import_acts.resume, name="import-resume"),
    path("imports/<uuid:run_id>/give-up/", import_acts.give_up, name="import-give-up"),
    path("imports/<uuid:run_id>/refused/", import_acts.refused, name="import-refused"),
    path("imports/<uuid:run_id>/undo/", import_acts.undo, name="import-undo"),
    # What came in, and what went out in the sample
    path("integrations/events/", integrations.events, name="events"),
    path("mailbox/", mailbox.mailbox, name="mailbox"),
    path("phones/", phones.phones, name="phones"),
    path("phones/<slug:key>/", phones.phone, name="phone"),
    path("mailbox/<str:key>/", mailbox.letter, name="letter"),
    path("mailbox/<str:key>/page/", mailbox.page, name="letter-page"),
]
