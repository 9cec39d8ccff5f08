/* pcap_filter.c: is a filter one that an interface can take? Without an interface. */
#include <errno.h>
#include <pcap/pcap.h>

#include "capture/source.h"

/* What a filter may ask depends on the link type, and that on an interface that may be on another machine: it is right
 * where one of the types that interfaces of Linux have takes it. */
int source_filter_check(const char *filter, struct err *e)
{
    static const int types[] = {DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_RAW};
    struct bpf_program p;
    int r = -EINVAL;
    for (unsigned i = 0; r && i < ARRAY_LEN(types); i++) {
        pcap_t *h = pcap_open_dead(types[i], 262144);
        if (!h)
            return err_set(e, -ENOMEM, "no memory for a filter");
        if (pcap_compile(h, &p, filter, 1, PCAP_NETMASK_UNKNOWN) == 0) {
            pcap_freecode(&p);
            r = 0;
        } else if (i == 0) {
            err_set(e, r, "run.filter: found '%.200s' (%.160s), expected a filter in libpcap's language", filter,
                    pcap_geterr(h));
        }
        pcap_close(h);
    }
    return r;
}
