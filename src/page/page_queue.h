// SPDX-License-Identifier: MIT
// Circular lists of pages of one size class. The head is the first page; its predecessor the last.
#pragma once

#include "page/page.h"

typedef mi_page_t *mi_page_queue_t; // NULL: empty

mi_inline void mi_page_queue_push_back(mi_page_queue_t *queue, mi_page_t *page)
{
    if (*queue == NULL) {
        page->next = page->prev = page;
        *queue = page;
        return;
    }
    page->next = *queue;
    page->prev = (*queue)->prev;
    page->prev->next = page;
    page->next->prev = page;
}

mi_inline void mi_page_queue_push_front(mi_page_queue_t *queue, mi_page_t *page)
{
    mi_page_queue_push_back(queue, page);
    *queue = page;
}

mi_inline void mi_page_queue_remove(mi_page_queue_t *queue, mi_page_t *page)
{
    if (page->next == page)
        *queue = NULL;
    else if (*queue == page)
        *queue = page->next;
    page->next->prev = page->prev;
    page->prev->next = page->next;
    page->next = page->prev = NULL;
}
