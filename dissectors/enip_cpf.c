/* enip_cpf.c: the common packet format of EtherNet/IP.
 *
 * Spec: CIP Vol 2 (EtherNet/IP adaptation), 2-6 "Common packet format".
 *
 *   item count u16 | type u16, length u16, data ... | type u16, ... */
#include "dissectors/enip_int.h"

void cpf_parse(struct cur *c, struct cpf *ret)
{
    ret->announced = cur_u16le(c);
    ret->n = 0;
    ret->bad_count = !cur_ok(c);
    ret->bad_item = ret->trailing = 0;
    while (ret->n < ret->announced && ret->n < CPF_MAX && cur_left(c)) {
        struct cpf_item *it = &ret->items[ret->n];
        uint32_t head = cur_u32le(c), len = head >> 16;
        it->type = (uint16_t)head;
        if (!cur_ok(c) || len > cur_left(c)) {
            ret->bad_item = 1;
            if (!cur_ok(c))
                return;
            len = cur_left(c); /* what is there is still shown to the decoder, marked */
        }
        it->data = cur_bytes(c, len);
        ret->n++;
    }
    ret->bad_count |= ret->n < ret->announced;
    ret->trailing = cur_left(c) > 0;
}

const struct cpf_item *cpf_find(const struct cpf *p, uint16_t type)
{
    for (unsigned i = 0; i < p->n; i++)
        if (p->items[i].type == type)
            return &p->items[i];
    return NULL;
}
