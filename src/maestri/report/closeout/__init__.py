"""The closeout of a run: what was asked, what landed, what did not and why, made from the journal and git.

`facts`     a fold over the events of a run
`plan`      what its definition says of it; `history`: what git says of what landed
`sections`  facts, plan and history as a document; `handoff`: of those, what went wrong and what to do next
`document`  headings, paragraphs, tables; `text`, `markdown`, `html` write them
"""
