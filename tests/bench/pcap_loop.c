/* pcap_loop.c: libpcap's own loop over a file with a callback that only counts. usage: pcap_loop FILE */
#include <pcap/pcap.h>
#include <stdio.h>

static void count(u_char *arg, const struct pcap_pkthdr *h, const u_char *bytes)
{
    (void)h;
    (void)bytes;
    ++*(unsigned long long *)(void *)arg;
}

int main(int argc, char **argv)
{
    char text[PCAP_ERRBUF_SIZE];
    unsigned long long n = 0;
    pcap_t *p;
    if (argc != 2) {
        fputs("usage: pcap_loop FILE\n", stderr);
        return 2;
    }
    if (!(p = pcap_open_offline(argv[1], text))) {
        fprintf(stderr, "%s\n", text);
        return 1;
    }
    int r = pcap_loop(p, -1, count, (u_char *)&n);
    pcap_close(p);
    printf("pkts %llu\n", n);
    return r != 0;
}
