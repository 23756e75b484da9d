#include "floor.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

struct http {
    CURL *easy;
    struct curl_slist *headers, *headers_json;
    tlk_buf answer;
};

static size_t take_in(char *p, size_t size, size_t n, void *ctx)
{
    tlk_add(&((struct http *)ctx)->answer, tlk_strn(p, size * n));
    return size * n;
}

static struct curl_slist *headers_of(const char *token, const char *more, bool json)
{
    struct curl_slist *list = curl_slist_append(NULL, token);
    if (more)
        list = curl_slist_append(list, more);
    if (json)
        list = curl_slist_append(curl_slist_append(list, "Content-Type: application/json"), "Expect:");
    return list;
}

struct http *http_new(const char *token_header, const char *more_header)
{
    struct http *h = calloc(1, sizeof *h);
    ASSERT(h);
    h->easy = curl_easy_init();
    h->headers = headers_of(token_header, more_header, false);
    h->headers_json = headers_of(token_header, more_header, true);
    curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, take_in);
    curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(h->easy, CURLOPT_BUFFERSIZE, 262144L);
    curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "floor_state");
    return h;
}

struct http *http_free(struct http *h)
{
    curl_easy_cleanup(h->easy);
    curl_slist_free_all(h->headers);
    curl_slist_free_all(h->headers_json);
    tlk_buf_done(&h->answer);
    free(h);
    return NULL;
}

tl_str http_call(struct http *h, const char *method, tl_str url, tl_str body)
{
    bool writes = strcmp(method, "GET") != 0;
    tlk_buf_clear(&h->answer);
    curl_easy_setopt(h->easy, CURLOPT_URL, url.p);
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, writes ? h->headers_json : h->headers);
    if (writes) {
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDS, body.p);
        curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE, (long)body.n);
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, method);
    } else {
        curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, NULL);
    }
    CURLcode rc = curl_easy_perform(h->easy);
    long status = 0;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    if (rc != CURLE_OK || (status != 200 && status != 204)) {
        fprintf(stderr, "%s %.*s: %s, status %ld\n%.*s\n", method, TLK_FMT(url), curl_easy_strerror(rc), status,
                TLK_FMT(tlk_lent(&h->answer)));
        exit(1);
    }
    return tlk_lent(&h->answer);
}
