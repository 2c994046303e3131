// SPDX-License-Identifier: MIT
// Circular lists of pages of one size class. Their ends meet in the queue's own link, so that nothing
// is asked when a page comes or goes: which pages do is hard to foresee, for the processor too.
#pragma once

#include "page/page.h"

typedef mi_page_link_t mi_page_queue_t;

mi_inline void mi_page_queue_init(mi_page_queue_t *queue)
{
    queue->next = queue->prev = queue;
}

mi_inline bool mi_page_queue_is_empty(const mi_page_queue_t *queue)
{
    return queue->next == queue;
}

mi_inline mi_page_t *mi_page_of_link(mi_page_link_t *link)
{
    return mi_offset(link, 0 - offsetof(mi_page_t, link));
}

// NULL: the queue is empty.
mi_inline mi_page_t *mi_page_queue_first(const mi_page_queue_t *queue)
{
    return mi_page_queue_is_empty(queue) ? NULL : mi_page_of_link(queue->next);
}

// The page behind one that is in the queue; NULL: that is the last.
mi_inline mi_page_t *mi_page_queue_after(const mi_page_queue_t *queue, const mi_page_t *page)
{
    return page->link.next == queue ? NULL : mi_page_of_link(page->link.next);
}

mi_inline void mi_page_queue_insert(mi_page_link_t *before, mi_page_link_t *link)
{
    link->prev = before;
    link->next = before->next;
    before->next->prev = link;
    before->next = link;
}

mi_inline void mi_page_queue_push_back(mi_page_queue_t *queue, mi_page_t *page)
{
    mi_page_queue_insert(queue->prev, &page->link);
}

mi_inline void mi_page_queue_push_front(mi_page_queue_t *queue, mi_page_t *page)
{
    mi_page_queue_insert(queue, &page->link);
}

mi_inline void mi_page_queue_remove(mi_page_t *page)
{
    page->link.next->prev = page->link.prev;
    page->link.prev->next = page->link.next;
}
