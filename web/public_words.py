"""The words of the pages for everybody in both languages; words of the field as in ``docs/words.md``."""

from collections.abc import Mapping
from typing import Final

from verify.report_words import STATUS

TEXTS: Final[dict[str, tuple[str, str]]] = {
    # around every page
    "service": ("印信 Yinxin 电子印章查验", "印信 Yinxin seal verification"),
    "skip": ("跳到正文", "Skip to content"),
    "navigation": ("主要页面", "Main pages"),
    "nav_verify": ("查验文件", "Verify a file"),
    "nav_check": ("按查验码查询", "Ask by check code"),
    "nav_help": ("自行核验", "Verify by yourself"),
    "reading": ("语言与字号", "Language and text size"),
    "other_language": ("English", "中文"),
    "larger": ("大字版", "Large text"),
    "ordinary": ("标准字号", "Ordinary text"),
    "address": ("本服务的网址是", "The address of this service is"),
    "address_hint": (
        "请核对浏览器地址栏；二维码把您带到别处时，不要相信那里的结论。",
        "Compare it with your browser; if a QR code took you elsewhere, do not believe what is said there.",
    ),
    "nothing_kept": ("上传的文件核验后立即删除，本站不使用 Cookie。", "Uploads are deleted once judged. No cookies."),
    "error_title": ("请更正", "Please correct this"),
    "error_prefix": ("错误：", "Error: "),
    "code_is": ("代码", "Code"),
    # the form
    "verify_title": ("查验一份盖章的 PDF", "Verify a sealed PDF"),
    "verify_intro": (
        (
            "上传盖了电子印章的 PDF，即可知道印章是否真实、属于哪个单位、依据哪份协议和哪个事项，"
            "盖章后有没有改动，现在是否仍然有效。不需要账号。"
        ),
        (
            "Upload a PDF that bears an electronic seal to learn whether the seal is genuine, whose it is, under which "
            "agreement and item it was put there, whether anything was changed since, and whether the document is "
            "still in force. No account is needed."
        ),
    ),
    "document_label": ("PDF 文件", "PDF file"),
    "document_hint": ("至多 {most} MB。", "At most {most} MB."),
    "receipt_label": ("回执（可不选）", "Receipt (optional)"),
    "receipt_hint": (
        "随文件一起收到的 .json 文件。本系统盖的章没有回执也能查验。",
        "The .json file that came with the document. Seals of this system can be verified without it.",
    ),
    "submit_verify": ("开始查验", "Verify"),
    "working": ("正在上传并核验，请稍候……", "Uploading and verifying, please wait …"),
    "chosen": ("已选择：", "Chosen: "),
    "too_large": ("文件超过上限，请选择较小的文件。", "The file is over the limit; choose a smaller one."),
    "file_too_large": ("文件超过 {most} MB，请选择较小的文件。", "The file is over {most} MB; choose a smaller one."),
    "only_paper": ("手里只有纸质文书？", "Only have the paper?"),
    "only_paper_link": ("用印章旁的查验码查询", "Ask by the check code beside the seal"),
    # the verdict
    "verdict_title": ("查验结果", "Result"),
    "TOTAL_PASSED": ("通过", "Passed"),
    "INDETERMINATE": ("无法判定", "Cannot tell"),
    "TOTAL_FAILED": ("不通过", "Failed"),
    "TOTAL_PASSED_says": (
        "印章真实，盖章后文件没有不允许的改动。请留意下面的提示。",
        "The seal is genuine and nothing forbidden was changed since. Mind the notes below.",
    ),
    "INDETERMINATE_says": (
        "缺少判断所需的东西，既不能说真，也不能说假。下面写明缺什么。",
        "Something needed is missing: neither genuine nor false can be said. What is missing stands below.",
    ),
    "TOTAL_FAILED_says": (
        "文件、签名或其证据不符。不要依据这份文件办事。",
        "The file, its signature or its evidence is false. Do not rely on this file.",
    ),
    "changed_since": ("通过，但现状有变", "Passed, but changed since"),
    "changed_since_says": (
        "印章当时真实有效，但后来有了变化：先看下面的红色提示，再决定能否依据它办事。",
        (
            "The seal was put rightly, but something changed since: read the red notice first, then decide whether to "
            "rely on it."
        ),
    ),
    "file": ("文件", "File"),
    "no_name": ("（未命名）", "(no name)"),
    "judged_at": ("查验时间", "Verified at"),
    "status_title": ("注意：现状有变", "Attention: something changed since"),
    "why": ("结论的依据", "Why"),
    "seal_number": ("印章 {number}", "Seal {number}"),
    "report_number": ("核验报告的印章 {number}", "Seal on a report {number}"),
    "signature_number": ("签名 {number}", "Signature {number}"),
    "timestamp_number": ("时间戳 {number}", "Time-stamp {number}"),
    "findings": ("逐项结果", "Findings"),
    "no_findings": ("没有需要说明的事项。", "Nothing to remark."),
    "failure": ("不符", "False"),
    "doubt": ("存疑", "Doubt"),
    "warning": ("提示", "Mind"),
    "note": ("说明", "Note"),
    "technical": ("技术细节", "Technical details"),
    "pages_title": ("文件页面", "Pages"),
    "pages_hint": (
        "红框是印章或签名所在的位置。请核对页面与您手中的文书一致。",
        "A red frame shows where a seal or signature stands. Compare the pages with the document you hold.",
    ),
    "page_alt": ("第 {number} 页，标出 {count} 处印章或签名", "Page {number} with {count} seals or signatures framed"),
    "page_number": ("第 {number} 页", "Page {number}"),
    "pages_not_again": (
        "切换语言或字号后不再显示文件页面和改动对照：上传的文件已经删除。要再看，请重新上传。",
        (
            "The pages, and what changed on them, are not shown again after switching: the upload is deleted already. "
            "To see them, upload the file again."
        ),
    ),
    "pages_left": ("另有 {count} 页未在此显示。", "{count} more pages are not shown here."),
    "pages_not_drawn": (
        "页面没有绘出（{code}）。结论不受影响。",
        "The pages were not drawn ({code}); the verdict stands.",
    ),
    "changes_title": ("盖章后的改动", "What changed since sealing"),
    "changes_hint": (
        "左边是盖章时的样子，右边是现在的样子；橙色框是不同之处。",
        "Left as it was sealed, right as it is now; orange frames show the differences.",
    ),
    "as_sealed": ("盖章时", "As sealed"),
    "as_now": ("现在", "Now"),
    "changed_alt": ("第 {number} 页，{count} 处不同", "Page {number}, {count} differences"),
    "reports_title": ("下载核验报告", "Download the report"),
    "reports_hint": (
        "15 分钟内有效；之后请重新上传。PDF 报告由本服务盖章，也可以在此查验。",
        "For 15 minutes; upload again after that. The PDF is sealed by this service and can be verified here.",
    ),
    "report_pdf": ("盖章的 PDF 报告", "Sealed PDF report"),
    "report_json": ("JSON 数据", "JSON data"),
    "report_xml": ("ETSI 核验报告 XML", "ETSI validation report XML"),
    "reports_too_long": (
        "结果过长，不能在此下载；请用接口 POST /v1/verifications。",
        "The verdict is too long to be downloaded here; use POST /v1/verifications.",
    ),
    "again": ("查验另一份文件", "Verify another file"),
    # facts of a signature
    "by": ("印章单位", "Seal of"),
    "signed_by": ("签名人", "Signed by"),
    "seal": ("印章", "Seal"),
    "specimen": ("样章", "specimen"),
    "specimen_says": (
        "样章：由未获许可的内置机构签发，在法律上不是电子印章。",
        "A specimen: issued by an embedded authority without a licence; no electronic seal in law.",
    ),
    "grantee": ("用章单位", "Used by"),
    "agreement": ("协议", "Agreement"),
    "agreement_version": ("{number}（第 {version} 版）", "{number} (version {version})"),
    "item": ("事项", "Item"),
    "document_kind": ("文书类型", "Kind of document"),
    "document_number": ("文书编号", "Document number"),
    "licence_number": ("证书编号", "Licence number"),
    "case_number": ("办件编号", "Case number"),
    "stated": ("申请时陈述的事实", "Facts as stated"),
    "approval": ("批准", "Approval"),
    "when": ("盖章时间", "Sealed at"),
    "claimed_when": ("自称的时间", "Claimed time"),
    "rests_on": ("时间依据", "The time rests on"),
    "not_later": ("{basis}；不晚于 {time}", "{basis}; not later than {time}"),
    "document_status": ("文书现状", "Document now"),
    "seal_status": ("印章现状", "Seal now"),
    "agreement_status": ("协议现状", "Agreement now"),
    "certificate_status": ("证书现状", "Certificate now"),
    "held": ("证书曾暂停", "Certificate on hold"),
    "held_from_to": ("{start} 至 {end}", "{start} to {end}"),
    "held_open": ("现在（未恢复）", "now (not resumed)"),
    "revoked": ("证书吊销", "Certificate revoked"),
    "revoked_when": ("{time}；自 {since} 起失效", "{time}; with effect from {since}"),
    "since": ("{state}，自 {day} 起", "{state} since {day}"),
    "by_document": ("（依据：{document}）", " (by {document})"),
    "later": ("盖章后追加", "Added since"),
    "later_bytes": ("{count} 字节", "{count} bytes"),
    "beijing": ("{time}（北京时间）", "{time} (Beijing time, UTC+8)"),
    # the paper
    "check_title": ("按查验码查询纸质文书", "Ask about a paper by its check code"),
    "check_intro": (
        "输入印章旁印着的查验码和文书编号。这里只回答编号是否相符、是什么事项、何时盖章、现状如何；只有电子文件才能判断真伪。",
        (
            "Type the check code printed beside the seal and the number of the document. You learn whether the "
            "number matches, for which item and when it was sealed, and its present status. Only the electronic "
            "file can tell whether a document is genuine."
        ),
    ),
    "check_code": ("查验码", "Check code"),
    "check_code_hint": (
        "16 个字母和数字，例如 7K3M-9QXA-2BCD-5FGH；大小写和短横线都可以。",
        "16 letters and digits, as 7K3M-9QXA-2BCD-5FGH; case and dashes do not matter.",
    ),
    "check_number": ("文书编号（或证书编号）", "Document number (or licence number)"),
    "check_number_hint": ("照纸面上的写，例如 兴审批〔2026〕17号。", "As it is printed, e.g. 兴审批〔2026〕17号."),
    "submit_check": ("查询", "Ask"),
    "match": ("编号相符", "The number matches"),
    "no_match": ("编号不符", "The number does not match"),
    "match_says": (
        "账本里确有这枚印章的记录，编号相符。这不等于纸面内容真实：请把下列各项与纸面逐项核对。",
        (
            "The record holds this seal under this number. That does not make the paper genuine: compare each line "
            "below with what is printed."
        ),
    ),
    "no_match_says": (
        "这个查验码对应的文书不是这个编号。请检查是否输错；若纸面确实如此，不要依据它办事，并告诉发文单位。",
        (
            "The document under this check code has another number. Check your typing; if the paper really says so, do "
            "not rely on it and tell the organ that issued it."
        ),
    ),
    "compare": ("与纸面核对", "Compare with the paper"),
    "ask_pdf": (
        "只要有疑问，就请对方提供电子文件（PDF），在本站上传查验。",
        "When in doubt, ask for the electronic file (PDF) and verify it here.",
    ),
    "check_again": ("再查一次", "Ask again"),
    # help and problems
    "help_title": ("不依靠本网站，自行核验", "Verify without this site"),
    "problem_title": ("未能完成", "That did not work"),
    "problem_request": ("请求编号", "Request id"),
    "problem_back": ("回到查验页", "Back to verification"),
}
VALUES: Final[Mapping[str, Mapping[str, tuple[str, str]]]] = {
    **{name: states for name, (_, states) in STATUS.items()},
    "kind": {
        "decision": ("决定书", "decision"),
        "refusal": ("不予许可决定书", "refusal"),
        "notice": ("告知书", "notice"),
        "licence": ("证照", "licence"),
        "filing": ("备案凭证", "filing"),
        "other": ("其他", "other"),
    },
    "basis": {
        "outside_time_stamp": (
            "外部时间戳：由独立的时间戳机构证明",
            "an outside time-stamp: proven by an independent authority",
        ),
        "witnessed": ("外部见证：见证方为账本作了联署", "witnesses, who cosigned the ledger"),
        "operator_time_stamp": ("运营方自己的时间戳和账本", "the operator's own time-stamp and ledger"),
        "operator_only": ("运营方的账本，没有外部证明", "the operator's ledger; nobody outside vouches for it"),
        "claimed_only": ("签名人自己所称，没有证明", "the signer's own word; unproven"),
    },
    "approval": {
        "person_signed": ("主要负责人本人签名批准", "signed by the principal with their own key"),
        "system_attested": ("由审批系统证明已批准", "vouched for by the approval system"),
    },
}
