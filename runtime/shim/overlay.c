#define _GNU_SOURCE
#include "overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STRING_LIMIT 255u /* of one fsconfig value */
#define FILE_LIMIT (1u << 20)

bool overlay_parse(const struct frame *request, struct overlay *overlay) {
    overlay->target = frame_string(request, FIELD_OVERLAY_TARGET);
    overlay->lower = frame_strings(request, FIELD_OVERLAY_LOWER, &overlay->lower_count);
    overlay->upper = frame_string(request, FIELD_OVERLAY_UPPER);
    overlay->work = frame_string(request, FIELD_OVERLAY_WORK);
    return overlay->target && overlay->lower_count > 0 && !overlay->upper == !overlay->work;
}

static bool fits_one_value(const struct overlay *overlay) {
    for (size_t i = 0; i < overlay->lower_count; i++) {
        if (strlen(overlay->lower[i]) > STRING_LIMIT) return false;
    }
    return !overlay->upper || (strlen(overlay->upper) <= STRING_LIMIT && strlen(overlay->work) <= STRING_LIMIT);
}

static bool set_option(int context, const char *key, const char *value) {
    return fsconfig(context, FSCONFIG_SET_STRING, key, value, 0) == 0;
}

/* One option a layer (Linux 6.8): no limit of one page for all of them. False when the kernel is older or a path too long. */
static bool mount_by_context(const struct overlay *overlay) {
    if (!fits_one_value(overlay)) return false;
    int context = fsopen("overlay", FSOPEN_CLOEXEC);
    if (context < 0) return false;
    bool ok = set_option(context, "source", "orch");
    for (size_t i = 0; ok && i < overlay->lower_count; i++) ok = set_option(context, "lowerdir+", overlay->lower[i]);
    if (ok && overlay->upper) ok = set_option(context, "upperdir", overlay->upper) && set_option(context, "workdir", overlay->work);
    ok = ok && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0;
    int mounted = ok ? fsmount(context, FSMOUNT_CLOEXEC, 0) : -1;
    ok = mounted >= 0 && move_mount(mounted, "", AT_FDCWD, overlay->target, MOVE_MOUNT_F_EMPTY_PATH) == 0;
    if (mounted >= 0) close(mounted);
    close(context);
    return ok;
}

/* mount(2) takes one page of options, so the layers go in as short symlinks in a small tmpfs that the overlay then covers. */
static const char *mount_by_links(const struct overlay *overlay) {
    if (mount("orch", overlay->target, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=4m") < 0) return "links";
    if (chdir(overlay->target) < 0) return "links";
    char options[4096] = "lowerdir=";
    size_t used = strlen(options);
    for (size_t i = 0; i < overlay->lower_count; i++) {
        char link[16];
        int length = snprintf(link, sizeof link, "%zx", i);
        if (symlink(overlay->lower[i], link) < 0) return "links";
        if (used + (size_t)length + 32 > sizeof options) {
            errno = E2BIG;
            return "layers";
        }
        used += (size_t)sprintf(options + used, "%s%s", i ? ":" : "", link);
    }
    if (overlay->upper) {
        if (symlink(overlay->upper, "u") < 0 || symlink(overlay->work, "w") < 0) return "links";
        strcat(options, ",upperdir=u,workdir=w");
    }
    if (mount("orch", overlay->target, "overlay", 0, options) < 0) return "overlay";
    return chdir("/") < 0 ? "links" : NULL;
}

const char *overlay_mount(const struct overlay *overlay) {
    if (unshare(CLONE_NEWNS) < 0) return "mount namespace";
    if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) return "mount propagation";
    if (!overlay->upper && overlay->lower_count == 1) { /* overlayfs wants two layers */
        return mount(overlay->lower[0], overlay->target, NULL, MS_BIND, NULL) < 0 ? "layer" : NULL;
    }
    if (mount_by_context(overlay)) return NULL;
    return mount_by_links(overlay);
}

const char *overlay_check_root(const struct overlay *overlay) {
    static const char *const names[] = {"dev", "proc", "sys"};
    int root = open(overlay->target, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *refused = root < 0 ? "" : NULL;
    for (size_t i = 0; !refused && i < sizeof names / sizeof *names; i++) {
        struct stat status;
        if (fstatat(root, names[i], &status, AT_SYMLINK_NOFOLLOW) == 0) {
            if (S_ISDIR(status.st_mode)) continue;
            errno = ENOTDIR;
            refused = names[i];
        } else { /* fails also on a read-only upper layer: nothing can be mounted then */
            mode_t mask = umask(022); /* runc gives the mode of the directory to what it mounts there; the server's own mask would shut users out */
            if (mkdirat(root, names[i], 0755) < 0) refused = names[i];
            umask(mask);
        }
    }
    if (root >= 0) close(root);
    return refused;
}

static void add_file(int root, const char *path, struct buffer *reply) {
    struct open_how how = {.flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    while (*path == '/') path++;
    int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof how);
    struct stat status;
    struct buffer content = {0};
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode)) {
        char chunk[16384];
        ssize_t count;
        while (content.length < FILE_LIMIT && (count = read(fd, chunk, sizeof chunk)) > 0) buffer_append(&content, chunk, (size_t)count);
    }
    if (fd >= 0) close(fd);
    frame_add(reply, FIELD_CONTENT, content.bytes, content.length);
    buffer_free(&content);
}

void overlay_read_files(const struct frame *request, struct buffer *reply) {
    struct overlay overlay;
    const char *step = overlay_parse(request, &overlay) ? overlay_mount(&overlay) : "request";
    int root = step ? -1 : open(overlay.target, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (!step && root < 0) step = "root";
    if (step) {
        int error = errno;
        size_t failed = frame_begin(reply, FRAME_FAILED, 0);
        frame_add_text(reply, FIELD_STAGE, step);
        frame_add_u32(reply, FIELD_ERRNO, (uint32_t)error);
        frame_end(reply, failed);
        return;
    }
    size_t count, position = frame_begin(reply, FRAME_ROOT_FILES, 0);
    char **paths = frame_strings(request, FIELD_PATH, &count);
    for (size_t i = 0; i < count; i++) add_file(root, paths[i], reply);
    frame_end(reply, position);
}
