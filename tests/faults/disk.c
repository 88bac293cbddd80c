/* What a program does to the files of one folder, written down in order; and faults, where they are asked for.
 *
 * Loaded before libc. A record is: kind, length of the path, offset, length of the data, path, data. The
 * lock is held over the real call too, so that the order written down is the order that was.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FAULT_NONE, FAULT_WRITE, FAULT_SYNC, FAULT_RENAME };

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static int trace = -1;
static char folder[4096];
static int fault_kind = FAULT_NONE, fault_errno, fault_short;
static long fault_left, fault_hits, calls_seen;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    const char *where = getenv("DISK_TRACE"), *what = getenv("DISK_FOLDER");
    if (what) snprintf(folder, sizeof folder, "%s", what);
    if (where && what) {
        int fd = syscall(SYS_openat, AT_FDCWD, where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        trace = fcntl(fd, F_DUPFD_CLOEXEC, 900);
        close(fd);
    }
}

/* Fail the n-th call of a kind: with an error, or a write that takes half (error 0). */
void disk_arm(int kind, long n, int error) {
    fault_kind = kind, fault_left = n, fault_errno = error, fault_short = error == 0, fault_hits = 0, calls_seen = 0;
}
void disk_mend(void) { fault_kind = FAULT_NONE; }
long disk_calls(void) { return calls_seen; }
long disk_hits(void) { return fault_hits; }

static int watched(int fd, char *path) {
    char link[64];
    if (!folder[0] || fd < 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, 4095);
    if (size <= 0) return 0;
    path[size] = 0;
    size_t root = strlen(folder);
    if (strncmp(path, folder, root) || strstr(path, "-shm")) return 0;
    return 1;
}

static int inside(const char *path) { return folder[0] && !strncmp(path, folder, strlen(folder)); }

static void note(char kind, const char *path, int64_t at, const void *data, uint32_t size) {
    if (trace < 0) return;
    struct __attribute__((packed)) { char kind; uint16_t path; int64_t at; uint32_t size; } head = {
        kind, (uint16_t)strlen(path), at, size};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)path, head.path}, {(void *)data, size}};
    syscall(SYS_writev, trace, parts, 3);
}

/* Whether this call is the one that fails. A disk that has failed once goes on failing while it is armed. */
static int fails(int kind) {
    if (fault_kind != kind) return 0;
    calls_seen++;
    if (fault_left > 1) { fault_left--; return 0; }
    fault_hits++;
    return 1;
}

static ssize_t put(int fd, const void *data, size_t size, int64_t at, int positioned) {
    char path[4096];
    pthread_mutex_lock(&lock);
    ssize_t done;
    int seen = watched(fd, path);
    if (seen && fails(FAULT_WRITE)) {
        if (!fault_short) {
            pthread_mutex_unlock(&lock);
            errno = fault_errno;
            return -1;
        }
        size = size / 2;
    }
    if (seen && !positioned) {
        int flags = fcntl(fd, F_GETFL);
        struct stat found;
        fstat(fd, &found);
        at = flags & O_APPEND ? found.st_size : lseek(fd, 0, SEEK_CUR);
    }
    done = positioned ? syscall(SYS_pwrite64, fd, data, size, at) : syscall(SYS_write, fd, data, size);
    if (seen && done > 0) note('W', path, at, data, (uint32_t)done);
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

/* Only a socket's; an answer that acknowledges is written down where it stands among the writes. */
static void answered(int fd, const void *data, size_t size) {
    struct stat found;
    if (trace < 0 || size < 16 || fstat(fd, &found) || !S_ISSOCK(found.st_mode)) return;
    if (memmem(data, size, "{\"success\":true}", 16)) note('A', "", 0, "", 0);
}

ssize_t write(int fd, const void *data, size_t size) {
    pthread_mutex_lock(&lock);
    answered(fd, data, size);
    ssize_t done = put(fd, data, size, 0, 0);
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return put(fd, data, size, at, 1); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return put(fd, data, size, at, 1); }

ssize_t writev(int fd, const struct iovec *parts, int count) {
    char path[4096];
    if (watched(fd, path)) {
        ssize_t total = 0;
        for (int i = 0; i < count; i++) {
            ssize_t done = put(fd, parts[i].iov_base, parts[i].iov_len, 0, 0);
            if (done < 0) return total ? total : -1;
            total += done;
            if ((size_t)done < parts[i].iov_len) break;
        }
        return total;
    }
    pthread_mutex_lock(&lock);
    for (int i = 0; i < count; i++) answered(fd, parts[i].iov_base, parts[i].iov_len);
    ssize_t done = syscall(SYS_writev, fd, parts, count);
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < message->msg_iovlen; i++)
        answered(fd, message->msg_iov[i].iov_base, message->msg_iov[i].iov_len);
    ssize_t done = syscall(SYS_sendmsg, fd, message, flags);
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

ssize_t send(int fd, const void *data, size_t size, int flags) {
    pthread_mutex_lock(&lock);
    answered(fd, data, size);
    ssize_t done = syscall(SYS_sendto, fd, data, size, flags, NULL, 0);
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

static int sync_with(int fd, int (*real)(int)) {
    char path[4096];
    pthread_mutex_lock(&lock);
    int seen = watched(fd, path), done;
    if (seen && fails(FAULT_SYNC)) {
        done = -1;
        errno = fault_errno;
    } else {
        done = real(fd);
        if (seen && !done) note('S', path, 0, "", 0);
    }
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}
int fsync(int fd) { return sync_with(fd, REAL(fsync)); }
int fdatasync(int fd) { return sync_with(fd, REAL(fdatasync)); }

static int cut(int fd, off64_t size) {
    char path[4096];
    pthread_mutex_lock(&lock);
    int seen = watched(fd, path);
    int done = syscall(SYS_ftruncate, fd, size);
    if (seen && !done) note('T', path, size, "", 0);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t size) { return cut(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut(fd, size); }

int rename(const char *from, const char *to) {
    pthread_mutex_lock(&lock);
    int done;
    if (inside(from) && fails(FAULT_RENAME)) {
        done = -1;
        errno = fault_errno;
    } else {
        done = syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to);
        if (!done && inside(from)) note('R', from, 0, to, (uint32_t)strlen(to));
    }
    int kept = errno;
    pthread_mutex_unlock(&lock);
    errno = kept;
    return done;
}

int unlink(const char *path) {
    pthread_mutex_lock(&lock);
    int done = syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (!done && inside(path)) note('U', path, 0, "", 0);
    pthread_mutex_unlock(&lock);
    return done;
}
