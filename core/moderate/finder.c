#include "moderate/finder.h"

#include "base/arena.h"

/* A tree of the words' beginnings. Its edges stand in a hash table, and as lists for the walk that makes the links. */
struct node {
    uint32_t c;              /* of the edge that leads here */
    uint32_t child, sibling; /* the first edge from here, the next from the parent; 0: none */
    uint32_t fail;           /* the longest proper end of this that is in the tree */
    uint32_t shorter;        /* the longest of those ends that is a word; FINDER_NONE: none */
    bool word;
};

struct edge {
    uint64_t key;  /* node and character; 0: a free place */
    uint32_t node;
};

struct finder {
    struct arena *mem;
    struct node *node;
    uint32_t n, cap;
    struct edge *edge;
    uint64_t mask;
};

/* Nodes count from 0, characters too: one more keeps the key from being 0. */
static uint64_t key_of(uint32_t node, uint32_t c)
{
    return ((uint64_t)node << 32 | c) + 1;
}

static struct edge *place_of(const struct finder *f, uint64_t key)
{
    uint64_t i = (key * UINT64_C(0x9e3779b97f4a7c15)) >> 20;
    while (f->edge[i & f->mask].key && f->edge[i & f->mask].key != key)
        i++;
    return &f->edge[i & f->mask];
}

struct finder *finder_new(struct arena *mem, size_t characters)
{
    struct finder *f = arena_new_of(mem, struct finder);
    uint64_t places = 16;
    FG_ASSERT(characters < UINT32_MAX / 4);
    while (places < 2 * characters)
        places *= 2;
    *f = (struct finder){ .mem = mem, .n = 1, .cap = (uint32_t)characters + 1, .mask = places - 1 };
    f->node = arena_array(mem, struct node, f->cap);
    f->edge = arena_array(mem, struct edge, places);
    return f;
}

static uint32_t add_node(struct finder *f, uint32_t parent, uint32_t c, struct edge *e)
{
    uint32_t node = f->n++;
    FG_ASSERT(node < f->cap);
    f->node[node] = (struct node){ .c = c, .sibling = f->node[parent].child, .shorter = FINDER_NONE };
    f->node[parent].child = node;
    *e = (struct edge){ key_of(parent, c), node };
    return node;
}

uint32_t finder_add(struct finder *f, const uint32_t *c, size_t n)
{
    uint32_t node = 0;
    for (size_t i = 0; i < n; i++) {
        struct edge *e = place_of(f, key_of(node, c[i]));
        node = e->key ? e->node : add_node(f, node, c[i], e);
    }
    f->node[node].word = true;
    return node;
}

uint32_t finder_step(const struct finder *f, uint32_t state, uint32_t c)
{
    for (;;) {
        const struct edge *e = place_of(f, key_of(state, c));
        if (e->key)
            return e->node;
        if (state == 0)
            return 0;
        state = f->node[state].fail;
    }
}

static void set_links(struct finder *f, uint32_t parent, uint32_t node)
{
    struct node *x = &f->node[node];
    x->fail = parent == 0 ? 0 : finder_step(f, f->node[parent].fail, x->c);
    x->shorter = f->node[x->fail].word ? x->fail : f->node[x->fail].shorter;
}

/* Breadth first: the ends of a node are shorter, and have their links already. */
void finder_finish(struct finder *f)
{
    uint32_t *queue = arena_array(f->mem, uint32_t, f->n);
    f->node[0].shorter = FINDER_NONE;
    for (uint32_t head = 0, tail = 1; head < tail; head++)
        for (uint32_t c = f->node[queue[head]].child; c; c = f->node[c].sibling) {
            set_links(f, queue[head], c);
            queue[tail++] = c;
        }
}

uint32_t finder_first(const struct finder *f, uint32_t state)
{
    return f->node[state].word ? state : f->node[state].shorter;
}

uint32_t finder_shorter(const struct finder *f, uint32_t place)
{
    return f->node[place].shorter;
}
