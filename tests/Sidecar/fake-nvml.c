/* Stands in for libnvidia-ml.so.1: plays what the file SCRIPT says at each call, a fact a line.
 * Types and numbers are those of NVIDIA's reference, https://docs.nvidia.com/deploy/nvml-api/.
 *
 *   init RC                            count RC N
 *   gpu I HANDLE_RC UUID SAMPLES_RC VALUE_TYPE RATES_RC PERCENT
 *   buffer I N                         the driver keeps the last N samples
 *   sample I TIME_US VALUE
 *   gauges I USED TOTAL MILLIWATTS CELSIUS
 *   divided I SLICES                   MIG, SLICES in the whole GPU
 *   instance I J ID SLICES             device J is (part of) GPU instance ID
 *   counters ID RC BUSY_US TIME_US     of a GPU instance
 *   hang                               no call comes back while this line is there
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, INSUFFICIENT_SIZE = 7, GPU_IS_LOST = 15 };

typedef struct { unsigned long long time, value; } sample_t;
typedef struct { double busy, time; } counters_t;

/* The n-th line that begins with WHAT and, unless it is negative, KEY: what follows. */
static int line(const char *what, long key, int n, char *rest)
{
    char text[512], begin[64];
    int found = 0;
    FILE *script = fopen(SCRIPT, "r");
    if (key < 0) snprintf(begin, sizeof begin, "%s", what);
    else snprintf(begin, sizeof begin, "%s %ld ", what, key);
    while (script && fgets(text, sizeof text, script))
        if (!strncmp(text, begin, strlen(begin)) && n-- == 0) {
            strcpy(rest, text + strlen(begin));
            found = 1;
            break;
        }
    if (script) fclose(script);
    return found;
}

static void hang(void) { char rest[512]; while (line("hang", -1, 0, rest)) usleep(1000); }

static int number(const char *what, long key, int at, double *value)
{
    char rest[512], *next = rest;
    if (!line(what, key, 0, rest)) return 0;
    for (; at >= 0; at--) *value = strtod(next, &next);
    return 1;
}

static long at(void *device) { return (long)(intptr_t)device - 1; }

/* A GPU that is lost stays so for whoever had it, until the library is begun anew. */
static int lost[16];

#ifndef OLD
int nvmlInit_v2(void) { double rc = 0; hang(); memset(lost, 0, sizeof lost); number("init", -1, 0, &rc); return rc; }
#else
int nvmlInit(void) { return SUCCESS; }
#endif

int nvmlShutdown(void) { return SUCCESS; }

int nvmlDeviceGetCount_v2(unsigned *count)
{
    double rc = 0, n = 0;
    hang();
    number("count", -1, 0, &rc);
    number("count", -1, 1, &n);
    *count = n;
    return rc;
}

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device)
{
    double rc = INVALID_ARGUMENT;
    number("gpu", index, 0, &rc);
    *device = (void *)(intptr_t)(index + 1);
    lost[index] |= rc == GPU_IS_LOST;
    return lost[index] ? GPU_IS_LOST : rc;
}

int nvmlDeviceGetUUID(void *device, char *text, unsigned length)
{
    char rest[512], uuid[128];
    if (!line("gpu", at(device), 0, rest) || sscanf(rest, "%*d %127s", uuid) != 1) return INVALID_ARGUMENT;
    snprintf(text, length, "%s", uuid);
    return SUCCESS;
}

int nvmlDeviceGetName(void *device, char *text, unsigned length) { snprintf(text, length, "NVIDIA Fake 80GB"); return SUCCESS; }

static int field(void *device, int at_field)
{
    char rest[512];
    int fields[6] = {0};
    if (!line("gpu", at(device), 0, rest)) return INVALID_ARGUMENT;
    sscanf(rest, "%*d %*s %d %d %d %d", &fields[0], &fields[1], &fields[2], &fields[3]);
    return fields[at_field];
}

#ifndef WITHOUT_SAMPLES
int nvmlDeviceGetSamples(void *device, int what, unsigned long long after, int *type, unsigned *count, sample_t *samples)
{
    char rest[512];
    double keeps = 1000000;
    unsigned found = 0, all = 0, i;
    int rc = field(device, 0);
    if (rc || what != 1) return rc ? rc : NOT_SUPPORTED;
    number("buffer", at(device), 0, &keeps);
    *type = field(device, 1);
    while (line("sample", at(device), all, rest)) all++;
    for (i = all > keeps ? all - (unsigned)keeps : 0; i < all; i++) {
        unsigned long long time;
        double value;
        line("sample", at(device), i, rest);
        if (sscanf(rest, "%llu %lf", &time, &value) != 2 || time <= after) continue;
        if (samples) {
            if (found == *count) return INSUFFICIENT_SIZE;
            samples[found].time = time;
            samples[found].value = 0xdeadbeef00000000u;
            if (*type == 0) memcpy(&samples[found].value, &value, sizeof value);
            else if (*type == 1) { unsigned it = value; memcpy(&samples[found].value, &it, sizeof it); }
            else if (*type == 5) { int it = value; memcpy(&samples[found].value, &it, sizeof it); }
            else samples[found].value = value;
        }
        found++;
    }
    *count = found;
    return found ? SUCCESS : NOT_FOUND;
}
#endif

int nvmlDeviceGetUtilizationRates(void *device, unsigned *rates) { rates[0] = field(device, 3); rates[1] = 0; return field(device, 2); }

int nvmlDeviceGetMemoryInfo(void *device, unsigned long long *memory)
{
    double used = 0, total = 0;
    if (!number("gauges", at(device), 0, &used)) return NOT_SUPPORTED;
    number("gauges", at(device), 1, &total);
    memory[0] = total, memory[1] = total - used, memory[2] = used;
    return SUCCESS;
}

int nvmlDeviceGetPowerUsage(void *device, unsigned *milliwatts)
{
    double value;
    if (!number("gauges", at(device), 2, &value)) return NOT_SUPPORTED;
    *milliwatts = value;
    return SUCCESS;
}

int nvmlDeviceGetTemperature(void *device, int sensor, unsigned *celsius)
{
    double value;
    if (sensor != 0 || !number("gauges", at(device), 3, &value)) return NOT_SUPPORTED;
    *celsius = (int)value;
    return SUCCESS;
}

int nvmlDeviceGetMigMode(void *device, unsigned *current, unsigned *pending)
{
    double slices;
    *current = *pending = number("divided", at(device), 0, &slices);
    return SUCCESS;
}

int nvmlDeviceGetMaxMigDeviceCount(void *device, unsigned *count) { *count = 7; return SUCCESS; }

/* A part's handle is its GPU's and its own number. */
int nvmlDeviceGetMigDeviceHandleByIndex(void *device, unsigned index, void **part)
{
    char rest[512], key[64];
    snprintf(key, sizeof key, "instance %ld", at(device));
    if (!line(key, index, 0, rest)) return NOT_FOUND;
    *part = (void *)(intptr_t)(1000 * (at(device) + 1) + index);
    return SUCCESS;
}

static int part(void *device, int at_field, double *value)
{
    char key[64];
    snprintf(key, sizeof key, "instance %ld", (long)(intptr_t)device / 1000 - 1);
    return number(key, (long)(intptr_t)device % 1000, at_field, value);
}

int nvmlDeviceGetGpuInstanceId(void *device, unsigned *id) { double value; if (!part(device, 0, &value)) return NOT_FOUND; *id = value; return SUCCESS; }

int nvmlDeviceGetAttributes_v2(void *device, unsigned *attributes)
{
    double slices;
    if (!part(device, 1, &slices)) return NOT_FOUND;
    memset(attributes, 0, 40);
    attributes[6] = slices;
    return SUCCESS;
}

int nvmlDeviceGetGpuInstanceProfileInfo(void *device, unsigned profile, unsigned *info)
{
    static const unsigned slices_of[] = {1, 2, 3, 4, 7, 8};
    double slices;
    if (profile > 5 || !number("divided", at(device), 0, &slices) || slices_of[profile] > slices) return NOT_SUPPORTED;
    memset(info, 0, 48);
    info[2] = slices_of[profile];
    return SUCCESS;
}

#ifndef WITHOUT_COUNTERS
int nvmlGpmSampleAlloc(counters_t **counters) { *counters = calloc(1, sizeof **counters); return SUCCESS; }

int nvmlGpmSampleFree(counters_t *counters) { free(counters); return SUCCESS; }

int nvmlGpmMigSampleGet(void *device, unsigned instance, counters_t *counters)
{
    double rc = NOT_SUPPORTED;
    number("counters", instance, 0, &rc);
    number("counters", instance, 1, &counters->busy);
    number("counters", instance, 2, &counters->time);
    return rc;
}

struct metrics { unsigned version, count; counters_t *earlier, *later; struct { unsigned id; int rc; double value; char *names[3]; } metric[333]; };

int nvmlGpmMetricsGet(struct metrics *get)
{
    if (get->version != 1 || get->count != 1 || get->metric[0].id != 1) return INVALID_ARGUMENT;
    memset(&get->metric[1], 0, sizeof get->metric - sizeof get->metric[0]);
    get->metric[0].rc = get->later->time > get->earlier->time ? SUCCESS : INVALID_ARGUMENT;
    get->metric[0].value = 100 * (get->later->busy - get->earlier->busy) / (get->later->time - get->earlier->time);
    return SUCCESS;
}
#endif
