"""Addresses of templates and messages."""

from __future__ import annotations

from django.urls import path

from marketing.web import (
    delivery,
    domain_reports,
    going_out,
    inbox,
    messages,
    provider_feeds,
    receivers,
    sending_domain,
    undelivered,
)
from marketing.web.making import (
    blocks_page,
    board,
    compare,
    conditions_page,
    draft_preview,
    editor,
    flow_page,
    languages,
    listing,
    preview,
    reviewing,
    texting,
)

T = "templates/<uuid:template_id>"

urlpatterns = [
    path("templates/", listing.templates, name="templates"),
    path("templates/reviews/", reviewing.waiting, name="template-reviews"),
    path("templates/blocks/", blocks_page.listing, name="blocks"),
    path("templates/blocks/<uuid:block_id>/", blocks_page.one, name="block"),
    path("templates/blocks/<uuid:block_id>/archive/", blocks_page.archive, name="block-archive"),
    path(f"{T}/", editor.template, name="template"),
    path(f"{T}/copies/", listing.copy, name="template-copies"),
    path(f"{T}/problems/", editor.problems, name="template-problems"),
    path(f"{T}/text/", editor.text_part, name="template-text"),
    path(f"{T}/flow/", flow_page.page, name="template-flow"),
    path(f"{T}/compare/", compare.page, name="template-compare"),
    path(f"{T}/languages/", languages.page, name="template-languages"),
    path(f"{T}/languages/audience/", languages.who_gets_which, name="template-spoken"),
    path(f"{T}/languages/<str:language>/", languages.one, name="template-language"),
    path(
        f"{T}/languages/<str:language>/remove/", languages.remove, name="template-language-remove"
    ),
    path(f"{T}/conditions/", conditions_page.page, name="template-conditions"),
    path(
        f"{T}/conditions/<slug:name>/remove/",
        conditions_page.remove,
        name="template-condition-remove",
    ),
    path(f"{T}/versions/<int:number>/review/", reviewing.review, name="template-review"),
    path(f"{T}/versions/<int:number>/approval/", reviewing.review, name="template-approve"),
    path(f"{T}/versions/<int:number>/", preview.preview, name="template-preview"),
    path(f"{T}/versions/<int:number>/body/", preview.preview_body, name="template-body"),
    path(f"{T}/versions/", editor.make_version, name="template-versions"),
    path(f"{T}/board/", board.board, name="template-board"),
    path(f"{T}/board/save/", board.save, name="template-board-save"),
    path(f"{T}/preview/", draft_preview.page, name="template-draft-preview"),
    path(f"{T}/board/preview/", board.look, name="template-board-preview"),
    path(f"{T}/board/blocks/", board.share, name="template-board-blocks"),
    path(f"{T}/board/check/", board.check, name="template-board-check"),
    path(
        f"{T}/board/pictures/",
        board.pictures,
        name="template-board-pictures",
    ),
    path(f"{T}/board/test/", board.test_send, name="template-test"),
    path(f"{T}/test-text/", texting.send, name="template-test-text"),
    path("delivery/", delivery.delivery, name="delivery"),
    path("delivery/receivers/", receivers.listing, name="receivers"),
    path("delivery/receivers/<uuid:receiver_id>/", receivers.one, name="receiver"),
    path("delivery/receivers/<uuid:receiver_id>/again/", receivers.again, name="receiver-again"),
    path("delivery/out/", going_out.going_out, name="delivery-out"),
    path("delivery/out/pause/", going_out.pause, name="delivery-pause"),
    path("delivery/out/<uuid:stop_id>/resume/", going_out.resume, name="delivery-resume"),
    path("delivery/out/fence/", going_out.lift_fence, name="delivery-fence"),
    path("delivery/undelivered/", undelivered.undelivered, name="undelivered"),
    path(
        "delivery/undelivered/<uuid:case_id>/resend/", undelivered.resend, name="undelivered-resend"
    ),
    path("delivery/undelivered/<uuid:case_id>/close/", undelivered.close, name="undelivered-close"),
    path("delivery/domain/", sending_domain.sending_domain, name="sending-domain"),
    path("delivery/domain/check/", sending_domain.check, name="sending-domain-check"),
    path("delivery/reports/", domain_reports.reports, name="domain-reports"),
    path("delivery/providers/", provider_feeds.feeds, name="provider-feeds"),
    path("delivery/providers/new/", provider_feeds.new, name="provider-feed-new"),
    path("delivery/providers/<uuid:feed_id>/end/", provider_feeds.end, name="provider-feed-end"),
    path("delivery/again/", delivery.again, name="delivery-again"),
    path("delivery/reviewed/", delivery.reviewed, name="delivery-reviewed"),
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/<uuid:answer_id>/", inbox.conversation, name="inbox-one"),
    path("inbox/<uuid:answer_id>/assign/", inbox.assign, name="inbox-assign"),
    path("inbox/<uuid:answer_id>/done/", inbox.done, name="inbox-done"),
    path("inbox/<uuid:answer_id>/files/<uuid:number>/", inbox.file, name="inbox-file"),
    path("messages/", messages.messages, name="messages"),
    path("messages/<uuid:public_id>/", messages.message, name="message"),
    path("messages/<uuid:public_id>/answers/", messages.answered, name="message-answers"),
    path("messages/<uuid:public_id>/recall/", messages.recall, name="message-recall"),
    path("messages/<uuid:public_id>/said/", messages.said, name="message-said"),
]
